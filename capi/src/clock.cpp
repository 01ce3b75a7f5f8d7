#include "capi/gen/bodies.h"
#include "capi/src/handles.h"

namespace fleetauth::capi {

namespace {

constexpr std::int64_t kCentury = 100LL * 366 * 24 * 3600 * 1000;
constexpr std::int64_t kEndOfYear9999 = 253'402'300'799'999;

}  // namespace

ErrorPtr clock_manual_new(std::int64_t wall_ms, fleetauth_clock *&out) {
  if (wall_ms < 0 || wall_ms > kEndOfYear9999) {
    return fail(Status::InvalidArgument, "clock_manual_new: wall_ms must be from 0 to the end of the year 9999");
  }
  out = new fleetauth_clock(std::make_shared<ManualClock>(wall_ms));
  return nullptr;
}

ErrorPtr clock_advance(fleetauth_clock &clock, std::int64_t ms) {
  if (ms < 0) return fail(Status::InvalidArgument, "clock_advance: time does not go back; use clock_step_wall for the wall clock");
  if (ms > kCentury) return fail(Status::InvalidArgument, "clock_advance: at most a century at once");
  clock.body->advance(ms);
  return nullptr;
}

ErrorPtr clock_step_wall(fleetauth_clock &clock, std::int64_t ms) {
  if (ms < -kCentury || ms > kCentury) return fail(Status::InvalidArgument, "clock_step_wall: at most a century at once");
  clock.body->step_wall(ms);
  return nullptr;
}

}  // namespace fleetauth::capi
