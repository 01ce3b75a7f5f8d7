#pragma once

#include <cstdint>

namespace fleetauth::net {

/// How many allocations of libcurl failed so far: libcurl also reports "out of memory" for headers that are too long.
[[nodiscard]] std::uint64_t curl_failed_allocations();

}  // namespace fleetauth::net
