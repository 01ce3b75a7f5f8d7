#include "capi/gen/bodies.h"
#include "capi/src/handles.h"

namespace fleetauth::capi {

ErrorPtr clock_manual_new(std::int64_t wall_ms, fleetauth_clock *&out) {
  if (wall_ms < 0) return fail(Status::InvalidArgument, "clock_manual_new: wall_ms must not be negative");
  out = new fleetauth_clock(std::make_shared<ManualClock>(wall_ms));
  return nullptr;
}

ErrorPtr clock_advance(fleetauth_clock &clock, std::int64_t ms) {
  if (ms < 0) return fail(Status::InvalidArgument, "clock_advance: time does not go back; use clock_step_wall for the wall clock");
  clock.body->advance(ms);
  return nullptr;
}

ErrorPtr clock_step_wall(fleetauth_clock &clock, std::int64_t ms) {
  clock.body->step_wall(ms);
  return nullptr;
}

}  // namespace fleetauth::capi
