#pragma once

#include <cstdint>
#include <string>

#include "bindings/napi/handle.h"

namespace fleetauth::node {

/// UTF-8 taken from a string; wiped, since it may be a secret.
class Text {
 public:
  Text() = default;  ///< absent
  Text(Napi::Env env, napi_value string);
  Text(const Text &) = delete;
  Text &operator=(const Text &) = delete;
  ~Text();

  [[nodiscard]] const char *data() const { return present_ ? text_.data() : nullptr; }
  [[nodiscard]] std::size_t size() const { return text_.size(); }

 private:
  std::string text_;
  bool present_ = false;
};

/// The bytes of a Uint8Array, borrowed for the call.
struct Bytes {
  const std::uint8_t *data;
  std::size_t size;
};

/// The arguments of one call, checked; what is wrong becomes a TypeError that names function and parameter.
class Arguments {
 public:
  Arguments(const Napi::CallbackInfo &info, const char *function) : info_(info), function_(function) {}

  [[nodiscard]] Napi::Env env() const { return info_.Env(); }

  template <class T>
  T *self() const {
    return Handle<T>::receiver(info_, function_);
  }
  template <class T>
  T *handle(std::size_t index, const char *name) const {
    return Handle<T>::of(env(), info_[index], function_, name);
  }
  template <class T>
  T *optional_handle(std::size_t index, const char *name) const {
    return absent(index) ? nullptr : handle<T>(index, name);
  }

  [[nodiscard]] Text text(std::size_t index, const char *name) const;
  [[nodiscard]] Text optional_text(std::size_t index, const char *name) const;
  [[nodiscard]] Bytes bytes(std::size_t index, const char *name) const;
  [[nodiscard]] std::int32_t i32(std::size_t index, const char *name) const;
  [[nodiscard]] std::int64_t i64(std::size_t index, const char *name) const;
  [[nodiscard]] Napi::Function function(std::size_t index, const char *name) const;

 private:
  [[nodiscard]] bool absent(std::size_t index) const { return info_[index].IsUndefined() || info_[index].IsNull(); }
  [[nodiscard]] double integer(std::size_t index, const char *name, double limit) const;
  [[noreturn]] void refuse(const char *name, const char *expected) const;

  const Napi::CallbackInfo &info_;
  const char *function_;
};

/// Throws what a failed call came to. The error may be absent, when memory for it ran out.
[[noreturn]] void raise(Napi::Env env, fleetauth_status status, Out<fleetauth_error> &err);

/// Returns for OK, else throws.
inline void require_ok(Napi::Env env, fleetauth_status status, Out<fleetauth_error> &err) {
  if (status != FLEETAUTH_OK) raise(env, status, err);
}

/// True for OK, false for E_WOULD_BLOCK: to have nothing yet is an answer, not a failure. Throws for everything else.
inline bool found(Napi::Env env, fleetauth_status status, Out<fleetauth_error> &err) {
  if (status != FLEETAUTH_OK && status != FLEETAUTH_E_WOULD_BLOCK) raise(env, status, err);
  return status == FLEETAUTH_OK;
}

inline Napi::Value to_js(Napi::Env env, std::int32_t number) { return Napi::Number::New(env, number); }
/// Every int64 of the API is below 2^53, so a number holds it.
inline Napi::Value to_js(Napi::Env env, std::int64_t number) { return Napi::Number::New(env, static_cast<double>(number)); }
/// A string, or null.
Napi::Value to_js(Napi::Env env, const char *text, std::size_t size);
/// A Buffer with a copy, or null.
Napi::Value to_js(Napi::Env env, const std::uint8_t *bytes, std::size_t size);

}  // namespace fleetauth::node
