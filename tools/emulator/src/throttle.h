// At most one call in an interval, on the emulator's clock.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace fleetauth::emulator {

class Throttle {
 public:
  // Empty: the call may pass, and counts. Otherwise the whole seconds to wait, at least 1.
  std::optional<std::int64_t> refuse(const std::string &key, std::int64_t min_interval_ms, std::int64_t now_ms);

 private:
  std::mutex mutex_;
  std::map<std::string, std::int64_t> last_ms_;
};

}  // namespace fleetauth::emulator
