#pragma once

#include <cstdint>

namespace fleetauth::os {

/// Milliseconds of CLOCK_BOOTTIME and of CLOCK_REALTIME.
[[nodiscard]] std::int64_t boot_ms() noexcept;
[[nodiscard]] std::int64_t wall_ms() noexcept;

}  // namespace fleetauth::os
