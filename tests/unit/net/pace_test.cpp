#include "core/net/pace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace fleetauth::net {
namespace {

constexpr BootMs kStart = 1'000'000;

TEST(Pace, ABurstLeavesAtOnceAndThenOnePerInterval) {
  Pace pace(1000, 3);
  for (const BootMs expected : {0, 0, 0, 1000, 2000, 3000}) EXPECT_EQ(pace.book(kStart), kStart + expected);
}

TEST(Pace, WithoutABurstEachRequestKeepsTheInterval) {
  Pace pace(10'000, 1);
  EXPECT_EQ(pace.book(kStart), kStart);
  EXPECT_EQ(pace.book(kStart + 1), kStart + 10'000);
  EXPECT_EQ(pace.book(kStart + 15'000), kStart + 20'000);
  EXPECT_EQ(pace.book(kStart + 45'000), kStart + 45'000);
}

TEST(Pace, TheBudgetComesBackOneByOneUpToTheBurst) {
  Pace pace(1000, 2);
  pace.book(kStart);
  pace.book(kStart);
  EXPECT_EQ(pace.book(kStart + 1000), kStart + 1000);
  EXPECT_EQ(pace.book(kStart + 1000), kStart + 2000);
  for (const BootMs expected : {0, 0, 1000}) EXPECT_EQ(pace.book(kStart + 100'000), kStart + 100'000 + expected);
}

TEST(Pace, LookingBooksNothing) {
  Pace pace(1000, 1);
  pace.book(kStart);
  EXPECT_EQ(pace.next(kStart), kStart + 1000);
  EXPECT_EQ(pace.next(kStart), kStart + 1000);
  EXPECT_EQ(pace.book(kStart), kStart + 1000);
}

TEST(Pace, WhatIsGivenBackGoesToTheNext) {
  Pace pace(1000, 1);
  pace.book(kStart);
  const BootMs first = pace.book(kStart);
  const BootMs second = pace.book(kStart);
  pace.give_back(second);
  pace.give_back(first);
  EXPECT_EQ(pace.book(kStart + 500), first);
  EXPECT_EQ(pace.book(kStart + 500), second);
  EXPECT_EQ(pace.book(kStart + 500), kStart + 3000);
}

TEST(Pace, WhatIsGivenBackTooLateIsLost) {
  Pace pace(1000, 1);
  pace.book(kStart);
  const BootMs missed = pace.book(kStart);
  const BootMs kept = pace.book(kStart);
  pace.give_back(missed);
  EXPECT_EQ(pace.book(missed + 1), kept + 1000);
}

TEST(Pace, ItIsIdleOnceTheIntervalsOfAllThatLeftAreOver) {
  Pace pace(1000, 3);
  EXPECT_TRUE(pace.is_idle(kStart));
  pace.book(kStart);
  pace.book(kStart);
  EXPECT_FALSE(pace.is_idle(kStart + 1999));
  EXPECT_TRUE(pace.is_idle(kStart + 2000));
}

// Whatever is booked and given back when: in no span of time do more leave than the burst and one per interval.
TEST(Pace, NeverMoreThanTheBurstAndOnePerInterval) {
  constexpr std::int64_t kInterval = 100;
  constexpr std::int64_t kBurst = 4;
  Pace pace(kInterval, kBurst);
  std::vector<BootMs> departures;
  BootMs now = kStart;
  std::uint32_t random = 1;
  for (int i = 0; i < 2000; ++i) {
    random = random * 1664525 + 1013904223;
    now += (random >> 8U) % 150;
    departures.push_back(pace.book(now));
    const bool changes_its_mind = departures.back() > now && (random >> 16U) % 3 == 0;
    if (changes_its_mind) {
      pace.give_back(departures.back());
      departures.pop_back();
    }
  }
  std::sort(departures.begin(), departures.end());
  for (std::size_t first = 0; first < departures.size(); ++first) {
    for (std::size_t last = first; last < departures.size() && last < first + 50; ++last) {
      const BootMs span = departures[last] - departures[first];
      ASSERT_LE(static_cast<std::int64_t>(last - first + 1), kBurst + span / kInterval) << first << ".." << last;
    }
  }
}

}  // namespace
}  // namespace fleetauth::net
