#include "core/base/os/clock.h"

#include <time.h>

namespace fleetauth::os {
namespace {

// Neither clock can fail on a Linux that has it, and CLOCK_BOOTTIME is older than any kernel we run on.
std::int64_t read_ms(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

std::int64_t boot_ms() noexcept { return read_ms(CLOCK_BOOTTIME); }
std::int64_t wall_ms() noexcept { return read_ms(CLOCK_REALTIME); }

}  // namespace fleetauth::os
