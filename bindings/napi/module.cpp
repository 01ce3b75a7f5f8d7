#include <atomic>

#include "bindings/napi/arguments.h"
#include "bindings/napi/gen/flat.gen.h"
#include "bindings/napi/pump.h"

// The parts of the addon that are not generated: errors, the pump, the generation words.
namespace fleetauth::node {

void raise(Napi::Env env, fleetauth_status status, Out<fleetauth_error> &err) {
  const Napi::FunctionReference &factory = Environment::of(env).error_factory;
  if (factory.IsEmpty()) {
    const char *message = fleetauth_error_message(err.get(), nullptr);
    throw Napi::Error::New(env, message);
  }
  const Napi::Value error = err.get() != nullptr ? Handle<fleetauth_error>::make(env, err) : env.Null();
  throw Napi::Error(env, factory.Call({to_js(env, status), error}));
}

namespace {

Napi::Value set_error_factory(const Napi::CallbackInfo &info) {
  const Arguments args(info, "setErrorFactory");
  Environment::of(args.env()).error_factory = Napi::Persistent(args.function(0, "factory"));
  return args.env().Undefined();
}

Napi::Value start_pump(const Napi::CallbackInfo &info) {
  const Arguments args(info, "startPump");
  Environment &environment = Environment::of(args.env());
  const Napi::Function callback = args.function(0, "callback");
  if (environment.pump == nullptr) environment.pump = Pump::start(args.env(), callback);
  if (environment.pump == nullptr) throw Napi::Error::New(args.env(), "The event loop cannot be connected to fleetauth.");
  return args.env().Undefined();
}

Pump &pump_of(Napi::Env env) {
  Pump *pump = Environment::of(env).pump;
  if (pump == nullptr) throw Napi::Error::New(env, "startPump must be called first");
  return *pump;
}

Napi::Value watch(const Napi::CallbackInfo &info) {
  const Arguments args(info, "watch");
  Out<fleetauth_error> none;
  require_ok(args.env(), pump_of(args.env()).watch(args.handle<fleetauth_queue>(0, "queue")), none);
  return args.env().Undefined();
}

Napi::Value unwatch(const Napi::CallbackInfo &info) {
  const Arguments args(info, "unwatch");
  pump_of(args.env()).unwatch(args.handle<fleetauth_queue>(0, "queue"));
  return args.env().Undefined();
}

Napi::Value hold(const Napi::CallbackInfo &info) {
  const Arguments args(info, "hold");
  pump_of(args.env()).hold(args.env(), info[0].ToBoolean());
  return args.env().Undefined();
}

/// The slab's words as an ArrayBuffer over the library's own memory, which is never freed; null for a slab that does not
/// exist, undefined where the engine allows no foreign memory: then slotWord() has to be asked.
Napi::Value slot_words(const Napi::CallbackInfo &info) {
  const Arguments args(info, "slotWords");
  std::size_t size = 0;
  const std::uint8_t *words = fleetauth_slot_words(args.i64(0, "slab"), &size);
  if (words == nullptr) return args.env().Null();
  napi_value buffer = nullptr;
  const napi_status status =
      napi_create_external_arraybuffer(args.env(), const_cast<std::uint8_t *>(words), size, nullptr, nullptr, &buffer);
  if (status == napi_ok) return {args.env(), buffer};
  if (status == napi_no_external_buffers_allowed) return args.env().Undefined();
  throw Napi::Error::New(args.env());
}

/// One slot's generation word; 0 for a slot that does not exist.
Napi::Value slot_word(const Napi::CallbackInfo &info) {
  const Arguments args(info, "slotWord");
  const std::int64_t slot = args.i64(0, "slot");
  std::size_t size = 0;
  constexpr std::int64_t kWordsPerSlab = 1024;
  const std::uint8_t *words = slot < 0 ? nullptr : fleetauth_slot_words(slot / kWordsPerSlab, &size);
  if (words == nullptr) return to_js(args.env(), 0);
  auto *word = reinterpret_cast<std::int32_t *>(const_cast<std::uint8_t *>(words)) + slot % kWordsPerSlab;
  return to_js(args.env(), std::atomic_ref<std::int32_t>(*word).load(std::memory_order_acquire));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  if (fleetauth_api_checksum() != kApiChecksum) {
    throw Napi::Error::New(env, "fleetauth.node was put together from two versions of fleetauth. Build it again from clean sources.");
  }
  env.SetInstanceData(new Environment);
  define(exports);
  define_function<set_error_factory>(exports, "setErrorFactory");
  define_function<start_pump>(exports, "startPump");
  define_function<watch>(exports, "watch");
  define_function<unwatch>(exports, "unwatch");
  define_function<hold>(exports, "hold");
  define_function<slot_words>(exports, "slotWords");
  define_function<slot_word>(exports, "slotWord");
  static std::atomic<std::int32_t> environments = 0;
  exports.Set("environment", to_js(env, environments.fetch_add(1) + 1));
  return exports;
}

}  // namespace

NODE_API_MODULE(fleetauth, init)

}  // namespace fleetauth::node
