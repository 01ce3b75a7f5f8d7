#pragma once

#include <cstdint>
#include <set>

#include "core/base/clock.h"

namespace fleetauth::net {

/// How fast requests of one kind may leave: a burst at once, and one per interval after that (GCRA). Whoever wants to send books a
/// departure; departures are given out in order and kept by those who got them. Not synchronised.
class Pace {
 public:
  Pace(std::int64_t interval_ms, std::int64_t burst);

  /// When the next request could leave, at `now` or later.
  [[nodiscard]] BootMs next(BootMs now) const;
  /// Takes that departure.
  BootMs book(BootMs now);
  /// A departure that was booked and does not take place; the next to ask gets it, if it is still to come.
  void give_back(BootMs departure);
  /// As good as new.
  [[nodiscard]] bool is_idle(BootMs now) const;

 private:
  std::int64_t interval_;
  std::int64_t tolerance_;     ///< how far a departure may be ahead of its theoretical time
  BootMs theoretical_ = 0;     ///< of the next departure, if all before had kept the interval
  std::set<BootMs> returned_;  ///< some may be in the past
};

}  // namespace fleetauth::net
