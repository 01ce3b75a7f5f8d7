#include "core/token/life.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

namespace fleetauth::token {
namespace {

constexpr std::int64_t kHour = 3'600'000;

TEST(LifeTest, AnHourIsRenewedFiveMinutesBeforeItsEnd) {
  const Life life = plan_life(1000, kHour, {}, 0.5);
  EXPECT_EQ(life.expires, 1000 + kHour);
  EXPECT_EQ(life.refresh_at, 1000 + kHour - 300'000);
  EXPECT_EQ(life.usable_until, 1000 + kHour - 30'000);
}

TEST(LifeTest, AMonthIsRenewedAnHourBeforeItsEndAndOverflowsNothing) {
  const std::int64_t month = 2'591'999'000;
  const Life life = plan_life(0, month, {}, 0.5);
  EXPECT_EQ(life.refresh_at, month - kHour);
  EXPECT_EQ(life.usable_until, month - 30'000);
}

TEST(LifeTest, WithoutEndNothingIsEverDue) {
  const Life life = plan_life(5, kNever, {}, 0.5);
  EXPECT_EQ(life.refresh_at, kNever);
  EXPECT_EQ(life.usable_until, kNever);
  EXPECT_EQ(life.expires, kNever);
}

TEST(LifeTest, T_6_TheLastTenthIsNotGivenOut) {
  const Life life = plan_life(0, 60'000, {}, 0.5);
  EXPECT_EQ(life.usable_until, 54'000);
}

TEST(LifeTest, T_7_ShortLivesKeepAtLeastHalfInPeace) {
  for (const std::int64_t lifetime : {0, 1, 1000, 5000}) {
    const Life life = plan_life(100, lifetime, {.refresh_ms = 60'000}, 0.99);
    EXPECT_GE(life.refresh_at, 100 + lifetime / 2) << lifetime;
    EXPECT_LE(life.usable_until, life.expires) << lifetime;
    EXPECT_GE(life.usable_until - 100, lifetime * 9 / 10) << lifetime;
  }
}

TEST(LifeTest, ANegativeLifetimeIsOver) {
  const Life life = plan_life(100, -5, {}, 0.5);
  EXPECT_EQ(life.expires, 100);
  EXPECT_EQ(life.usable_until, 100);
}

TEST(LifeTest, WhatMustBeLeftIsNotGivenOut) {
  const Life life = plan_life(0, kHour, {.refresh_ms = 600'000, .last_ms = 300'000}, 0.5);
  EXPECT_EQ(life.usable_until, kHour - 300'000);
  EXPECT_EQ(life.refresh_at, kHour - 600'000);
  EXPECT_EQ(plan_life(0, 200'000, {.last_ms = 300'000}, 0.5).usable_until, 0) << "shorter than what must be left";
}

TEST(LifeTest, TheOperatorsMarginIsTaken) { EXPECT_EQ(plan_life(0, kHour, {.refresh_ms = 600'000}, 0.5).refresh_at, kHour - 600'000); }

TEST(LifeTest, T_8_RenewalsOfTokensObtainedTogetherAreSpread) {
  std::map<std::int64_t, int> per_second;
  for (int i = 0; i < 1000; ++i) {
    const Life life = plan_life(0, kHour, {}, spread_of("client " + std::to_string(i)));
    ++per_second[life.refresh_at / 1000];
  }
  const auto fullest =
      std::max_element(per_second.begin(), per_second.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
  EXPECT_LE(fullest->second, 50);
}

TEST(LifeTest, TheSpreadOfAKeyStaysTheSame) {
  EXPECT_EQ(spread_of("a"), spread_of("a"));
  EXPECT_NE(spread_of("a"), spread_of("b"));
}

}  // namespace
}  // namespace fleetauth::token
