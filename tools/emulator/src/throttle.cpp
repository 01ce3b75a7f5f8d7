#include "throttle.h"

namespace fleetauth::emulator {

std::optional<std::int64_t> Throttle::refuse(const std::string &key, std::int64_t min_interval_ms, std::int64_t now_ms) {
  if (min_interval_ms <= 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto last = last_ms_.find(key);
  if (last != last_ms_.end()) {
    const std::int64_t elapsed = now_ms - last->second;
    // A clock that was set back must not lock the caller out.
    if (elapsed >= 0 && elapsed < min_interval_ms) return (min_interval_ms - elapsed + 999) / 1000;
  }
  last_ms_[key] = now_ms;
  return std::nullopt;
}

}  // namespace fleetauth::emulator
