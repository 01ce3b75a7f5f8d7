#include "core/net/pace.h"

#include <algorithm>

namespace fleetauth::net {

Pace::Pace(std::int64_t interval_ms, std::int64_t burst) : interval_(interval_ms), tolerance_((burst - 1) * interval_ms) {}

BootMs Pace::next(BootMs now) const {
  // What came back was booked before what is still free, and so is earlier.
  const auto returned = returned_.lower_bound(now);
  return returned != returned_.end() ? *returned : std::max(now, theoretical_ - tolerance_);
}

BootMs Pace::book(BootMs now) {
  const BootMs departure = next(now);
  if (returned_.lower_bound(now) == returned_.end()) theoretical_ = std::max(theoretical_, now) + interval_;
  returned_.erase(returned_.begin(), returned_.upper_bound(departure));  // it, and those that are past
  return departure;
}

bool Pace::is_idle(BootMs now) const { return theoretical_ <= now; }

void Pace::give_back(BootMs departure) { returned_.insert(departure); }

}  // namespace fleetauth::net
