#include "core/base/clock.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include "core/base/clock_skew.h"

namespace {

std::atomic<bool> clock_fails{false};
std::atomic<std::int64_t> seconds_back{0};

}  // namespace

// The core is linked statically, so this is the one that it calls.
extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t clock, timespec *now) noexcept {
  if (clock == CLOCK_BOOTTIME && clock_fails) return -1;
  const long code = syscall(SYS_clock_gettime, clock, now);
  if (clock == CLOCK_BOOTTIME) now->tv_sec -= seconds_back;
  return static_cast<int>(code);
}

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

TEST(ManualClock, T_9_ReadersNeverSeeItGoBack) {
  ManualClock clock(0);
  std::atomic<bool> over{false};
  std::thread mover([&] {
    for (int i = 0; i < 10'000; ++i) clock.advance(1);
    over = true;
  });
  BootMs last = 0;
  while (!over) {
    const BootMs now = clock.boot_ms();
    EXPECT_GE(now, last);
    last = now;
  }
  mover.join();
  EXPECT_EQ(clock.boot_ms(), 10'000);
}

/// Whether the clock is ahead of CLOCK_MONOTONIC in a time namespace that is as after a suspension. None where none can be made.
std::optional<bool> is_ahead_after(std::int64_t seconds) {
  constexpr int kNotAllowed = 77;
  const pid_t outer = fork();
  if (outer == 0) {
    if (unshare(CLONE_NEWTIME) != 0) _exit(kNotAllowed);
    std::ofstream("/proc/self/timens_offsets") << "boottime " << seconds << " 0" << std::flush;
    const pid_t inner = fork();
    if (inner == 0) {
      timespec monotonic{};
      clock_gettime(CLOCK_MONOTONIC, &monotonic);
      const std::int64_t ahead = Clock::real()->boot_ms() / 1000 - monotonic.tv_sec;
      _exit(ahead >= seconds - 1 ? 0 : 1);
    }
    int status = 0;
    waitpid(inner, &status, 0);
    _exit(WEXITSTATUS(status));
  }
  int status = 0;
  waitpid(outer, &status, 0);
  if (WEXITSTATUS(status) == kNotAllowed) return std::nullopt;
  return WEXITSTATUS(status) == 0;
}

TEST(RealClock, T_2_CountsTheTimeOfSuspensions) {
  const auto ahead = is_ahead_after(8 * 3600);
  if (!ahead) GTEST_SKIP() << "no time namespaces here";
  EXPECT_TRUE(*ahead);
}

TEST(RealClock, T_9_NoThreadSeesItGoBackNorFail) {
  const auto clock = Clock::real();
  const BootMs before = clock->boot_ms();
  ASSERT_GT(before, 0);
  BootMs elsewhere = 0;
  seconds_back = 60;
  std::thread([&] { elsewhere = clock->boot_ms(); }).join();
  seconds_back = 0;
  EXPECT_GE(elsewhere, before);
  clock_fails = true;
  EXPECT_GE(clock->boot_ms(), before);
  clock_fails = false;
  EXPECT_GE(clock->boot_ms(), before);
}

TEST(RealClock, RunsAndIsNotManual) {
  const auto clock = Clock::real();
  EXPECT_EQ(clock->manual(), nullptr);
  EXPECT_GT(clock->boot_ms(), 0);
  EXPECT_GT(clock->wall_ms(), 1'600'000'000'000);
  EXPECT_LE(clock->boot_ms(), clock->boot_ms());
}

}  // namespace
TEST(ClockSkew, FiveSecondsBesideTheTimeTakenAreNoneAndADayIsTheMost) {
  constexpr std::int64_t kDay = 86'400'000;
  for (const std::int64_t ahead : {-5'000, 0, 5'700}) EXPECT_EQ(clock_skew(ahead, 700), ClockSkew::None) << ahead;
  for (const std::int64_t ahead : {-kDay, std::int64_t{-5'001}, std::int64_t{5'701}, kDay}) {
    EXPECT_EQ(clock_skew(ahead, 700), ClockSkew::Correctable) << ahead;
  }
  for (const std::int64_t ahead : {-kDay - 1, kDay + 1}) EXPECT_EQ(clock_skew(ahead, 700), ClockSkew::TooGreat) << ahead;
}

}  // namespace fleetauth
