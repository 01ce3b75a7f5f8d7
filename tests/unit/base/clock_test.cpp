#include "core/base/clock.h"

#include <gtest/gtest.h>

#include <memory>

namespace fleetauth {
namespace {

TEST(ManualClock, AdvancesBothTimes) {
  ManualClock clock(1'000'000);
  const BootMs boot = clock.boot_ms();
  clock.advance(250);
  EXPECT_EQ(clock.boot_ms(), boot + 250);
  EXPECT_EQ(clock.wall_ms(), 1'000'250);
}

TEST(ManualClock, WallStepsLeaveTheBootTimeAlone) {
  ManualClock clock(1'000'000);
  const BootMs boot = clock.boot_ms();
  clock.step_wall(-5'000);
  EXPECT_EQ(clock.boot_ms(), boot);
  EXPECT_EQ(clock.wall_ms(), 995'000);
}

TEST(ManualClock, TellsObserversWhileTheirOwnerLives) {
  ManualClock clock(0);
  auto owner = std::make_shared<int>(0);
  BootMs seen = -1;
  int calls = 0;
  clock.observe(owner, [&] {
    seen = clock.boot_ms();  // outside the clock's lock
    ++calls;
  });
  clock.advance(7);
  EXPECT_EQ(seen, clock.boot_ms());
  owner.reset();
  clock.advance(7);
  EXPECT_EQ(calls, 1);
}

TEST(RealClock, RunsAndIsNotManual) {
  const auto clock = Clock::real();
  EXPECT_EQ(clock->manual(), nullptr);
  EXPECT_GT(clock->boot_ms(), 0);
  EXPECT_GT(clock->wall_ms(), 1'600'000'000'000);
  EXPECT_LE(clock->boot_ms(), clock->boot_ms());
}

}  // namespace
}  // namespace fleetauth
