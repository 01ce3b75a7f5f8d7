#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bindings/napi/environment.h"

namespace fleetauth::node {

/// Owns the reference that an out-parameter receives.
template <class T>
class Out {
 public:
  Out() = default;
  Out(const Out &) = delete;
  Out &operator=(const Out &) = delete;
  ~Out() { Traits<T>::unref(handle_); }

  T **receive() { return &handle_; }
  [[nodiscard]] T *get() const { return handle_; }
  T *release() { return std::exchange(handle_, nullptr); }

 private:
  T *handle_ = nullptr;
};

using Callback = Napi::Value (*)(const Napi::CallbackInfo &);

template <Callback Function>
void define_function(Napi::Object target, const char *name) {
  target.Set(name, Napi::Function::New<Function>(target.Env(), name));
}

/// Marks our objects, so that a foreign one is refused instead of being misread. The address tells two loaded copies apart.
template <class T>
const napi_type_tag &type_tag() {
  static const char copy = 0;
  static const napi_type_tag tag{reinterpret_cast<std::uintptr_t>(&copy), Traits<T>::kIndex + 1};
  return tag;
}

/// A JavaScript object that holds one reference to a handle. An environment has one thread, so none of its methods can run
/// while another releases it.
template <class T>
class Handle : public Napi::ObjectWrap<Handle<T>> {
 public:
  using Property = Napi::ClassPropertyDescriptor<Handle<T>>;

  explicit Handle(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Handle<T>>(info) {
    const napi_status status = napi_type_tag_object(info.Env(), info.This(), &type_tag<T>());
    NAPI_THROW_IF_FAILED_VOID(info.Env(), status);
  }
  ~Handle() override { Traits<T>::unref(handle_); }

  /// The object for a reference, which it takes over.
  static Napi::Value make(Napi::Env env, Out<T> &owned) {
    Napi::Object object = Environment::of(env).classes[Traits<T>::kIndex].New({});
    Handle::Unwrap(object)->handle_ = owned.release();
    return object;
  }

  /// The handle of a value, borrowed from it; throws a TypeError when the value is no such object or was released.
  static T *of(Napi::Env env, Napi::Value value, const char *function, const char *name) {
    bool ours = false;
    if (value.IsObject()) napi_check_object_type_tag(env, value, &type_tag<T>(), &ours);
    if (!ours) throw Napi::TypeError::New(env, std::string(function) + ": " + name + " must be a " + Traits<T>::kName);
    T *handle = Handle::Unwrap(value.As<Napi::Object>())->handle_;
    if (handle == nullptr) throw Napi::TypeError::New(env, std::string(function) + ": " + name + " was released");
    return handle;
  }

  /// The handle of the object that a method was called on. The engine calls methods on objects of their class alone.
  static T *receiver(const Napi::CallbackInfo &info, const char *function) {
    T *handle = Handle::Unwrap(info.This().As<Napi::Object>())->handle_;
    if (handle == nullptr) throw Napi::TypeError::New(info.Env(), std::string(function) + ": this was released");
    return handle;
  }

  template <Callback Function>
  static Property method(const char *name) {
    return Handle::template InstanceMethod<&Handle::template call<Function>>(name);
  }

  static void define(Napi::Object exports, std::vector<Property> methods) {
    const Napi::Env env = exports.Env();
    methods.push_back(Handle::template InstanceMethod<&Handle::release>("release"));
    const Napi::Function type = Handle::DefineClass(env, Traits<T>::kName, methods);
    Environment::of(env).classes[Traits<T>::kIndex] = Napi::Persistent(type);
    exports.Set(Traits<T>::kName, type);
  }

  static Napi::Function type(Napi::Env env) { return Environment::of(env).classes[Traits<T>::kIndex].Value(); }

 private:
  template <Callback Function>
  Napi::Value call(const Napi::CallbackInfo &info) {
    return Function(info);
  }

  /// Gives the reference back now instead of when the object is collected.
  Napi::Value release(const Napi::CallbackInfo &info) {
    Traits<T>::unref(std::exchange(handle_, nullptr));
    return info.Env().Undefined();
  }

  T *handle_ = nullptr;
};

}  // namespace fleetauth::node
