#pragma once

#include "core/flow/http.h"

namespace fleetauth::flow {

/// Retry-After in seconds or as a date, a date measured against the answer's own Date; -1 when absent or senseless;
/// at most one hour; of several headers the longest.
[[nodiscard]] std::int64_t retry_after_ms(const HttpResponse &response, const Now &now);

}  // namespace fleetauth::flow
