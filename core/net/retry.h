#pragma once

#include <cstdint>
#include <functional>

#include "core/flow/http.h"

namespace fleetauth::net {

/// A random number in [0, 1).
using Random = std::function<double()>;

/// Whether a request that failed or was answered with an error may leave again, by its class: idempotent at most 3 attempts,
/// refresh and one-shot only while nothing was sent (refresh in doubt is decided by the rotation journal, not here).
/// `attempt` counts from 1 for the one that failed.
[[nodiscard]] bool may_repeat(flow::CallClass call_class, int attempt, const Error &error, flow::Sent sent);

/// Full jitter: a random share of 250 ms * 2^(attempt-1), at most 10 s; never less than the server asked for.
[[nodiscard]] std::int64_t backoff_ms(int attempt, const Error &error, const Random &random);

}  // namespace fleetauth::net
