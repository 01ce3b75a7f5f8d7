#pragma once

#include <cstdint>

namespace fleetauth::os {

/// Milliseconds of CLOCK_BOOTTIME, of which no thread ever reads less than another did before, and of CLOCK_REALTIME.
[[nodiscard]] std::int64_t boot_ms() noexcept;
[[nodiscard]] std::int64_t wall_ms() noexcept;

}  // namespace fleetauth::os
