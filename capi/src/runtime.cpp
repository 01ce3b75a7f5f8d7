#include "capi/gen/bodies.h"
#include "capi/src/handles.h"

namespace fleetauth::capi {

ErrorPtr runtime_new(fleetauth_options *options, fleetauth_clock *clock, fleetauth_runtime *&out) {
  const auto settings = runtime::read_runtime_options(options == nullptr ? nullptr : &options->body);
  if (!settings) return settings.error();
  auto made = runtime::Runtime::create(*settings, clock == nullptr ? nullptr : clock->body);
  if (!made) return made.error();
  out = new fleetauth_runtime(std::move(*made));
  return nullptr;
}

ErrorPtr runtime_shared(fleetauth_runtime *&out) {
  auto shared = runtime::Runtime::shared();
  if (!shared) return shared.error();
  out = new fleetauth_runtime(std::move(*shared));
  return nullptr;
}

ErrorPtr runtime_close(fleetauth_runtime &runtime, std::int64_t timeout_ms) {
  if (timeout_ms < 0) return fail(Status::InvalidArgument, "runtime_close: timeout_ms must not be negative");
  const bool gone = runtime.body->engine().close(timeout_ms);
  if (gone || timeout_ms == 0) return nullptr;
  return fail(Status::Timeout, "the runtime is closed, but its I/O thread has not left within timeout_ms");
}

ErrorPtr runtime_counters(fleetauth_runtime &runtime, fleetauth_blob *&out) {
  runtime::Counters counters;
  {
    const auto lock = runtime.body->engine().enter();
    counters = runtime.body->engine().counters();
  }
  out = new fleetauth_blob(SecretBytes(runtime::to_json(counters)));
  return nullptr;
}

}  // namespace fleetauth::capi
