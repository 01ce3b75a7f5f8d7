#include "core/base/os/clock.h"

#include <time.h>

#include <algorithm>
#include <atomic>

namespace fleetauth::os {
namespace {

// Neither clock fails on a Linux that has it, and CLOCK_BOOTTIME is older than any kernel we run on.
std::int64_t read_ms(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

// Written once a millisecond at most, so that reading it costs next to nothing.
std::atomic<std::int64_t> g_latest{0};

}  // namespace

// What two threads read in turn must not run backwards, nor start from 0, whatever a hypervisor or a sandbox makes of the clock.
std::int64_t boot_ms() noexcept {
  const std::int64_t now = read_ms(CLOCK_BOOTTIME);
  std::int64_t latest = g_latest.load(std::memory_order_relaxed);
  while (latest < now && !g_latest.compare_exchange_weak(latest, now, std::memory_order_relaxed)) {
  }
  return std::max(latest, now);
}
std::int64_t wall_ms() noexcept { return read_ms(CLOCK_REALTIME); }

}  // namespace fleetauth::os
