#include "capi/gen/bodies.h"
#include "capi/src/handles.h"

namespace fleetauth::capi {

namespace {

Borrowed lend(const std::string &text) { return {text.c_str(), text.size()}; }

}  // namespace

std::int32_t error_status(fleetauth_error &error) { return static_cast<std::int32_t>(error.body->status); }
Borrowed error_message(fleetauth_error &error) { return lend(error.body->message); }
Borrowed error_provider(fleetauth_error &error) { return lend(error.body->provider); }
Borrowed error_account(fleetauth_error &error) { return lend(error.body->account); }
Borrowed error_provider_code(fleetauth_error &error) { return lend(error.body->provider_code); }
std::int32_t error_http_status(fleetauth_error &error) { return error.body->http_status; }
std::int32_t error_retryable(fleetauth_error &error) { return error.body->is_retryable() ? 1 : 0; }
std::int64_t error_retry_after_ms(fleetauth_error &error) { return error.body->retry_after_ms; }
std::int32_t error_in_doubt(fleetauth_error &error) { return error.body->in_doubt ? 1 : 0; }
std::int64_t error_user_error(fleetauth_error &error) { return error.body->user_error == nullptr ? 0 : *error.body->user_error; }

}  // namespace fleetauth::capi
