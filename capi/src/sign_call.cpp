#include "capi/gen/bodies.h"
#include "capi/src/handles.h"

namespace fleetauth::capi {

std::int64_t sign_call_id(fleetauth_sign_call &call) { return static_cast<std::int64_t>(call.body->id()); }

Borrowed sign_call_algorithm(fleetauth_sign_call & /*call*/) {
  static constexpr std::string_view kAlgorithm = "RS256";
  return {kAlgorithm.data(), kAlgorithm.size()};
}

Borrowed sign_call_key_id(fleetauth_sign_call &call) {
  const std::string &key_id = call.body->order().key_id;
  return {key_id.c_str(), key_id.size()};
}

Borrowed sign_call_data(fleetauth_sign_call &call) {
  const SecretBytes &input = call.body->order().input;
  return {input.c_str(), input.size()};
}

std::int64_t sign_call_timeout_ms(fleetauth_sign_call &call) { return call.body->timeout_ms(); }

ErrorPtr sign_call_complete(fleetauth_sign_call &call, std::string_view signature) { return call.body->complete(signature); }

ErrorPtr sign_call_fail(fleetauth_sign_call &call, std::int32_t status, std::optional<std::string_view> message, std::int64_t user_error) {
  return call.body->fail(static_cast<Status>(status), message.value_or(""), user_error);
}

}  // namespace fleetauth::capi
