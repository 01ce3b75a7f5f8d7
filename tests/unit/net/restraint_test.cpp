#include "core/net/restraint.h"

#include <gtest/gtest.h>

#include <string>

namespace fleetauth::net {
namespace {

const std::string kApi = "https://api.acme.test";

Error failed(Status status) {
  Error error;
  error.status = status;
  return error;
}

class RestraintTest : public ::testing::Test {
 protected:
  void fail(int times = 1, bool tried = false) {
    for (int i = 0; i < times; ++i) restraint.failed(kApi, tried, now);
  }
  [[nodiscard]] std::int64_t wait() const { return restraint.unavailable_ms(kApi, now); }

  double share = 0;
  BootMs now = 1'000'000;
  Restraint restraint{[this] { return share; }};
};

TEST_F(RestraintTest, H15_FiveFailuresInARowOpenTheBreaker) {
  fail(4);
  EXPECT_EQ(wait(), 0);
  fail();
  EXPECT_EQ(wait(), 5'000);
  EXPECT_EQ(restraint.unavailable_ms("https://other.acme.test", now), 0);
}

TEST_F(RestraintTest, H15_AnAnswerBetweenThemBeginsTheCountAgain) {
  fail(4);
  restraint.answered(kApi);
  fail(4);
  EXPECT_EQ(wait(), 0);
}

TEST_F(RestraintTest, H15_OneRequestTriesAndTheOthersWait) {
  EXPECT_FALSE(restraint.take_probe(kApi, now));
  fail(5);
  now += 5'000;
  EXPECT_EQ(wait(), 0);
  EXPECT_TRUE(restraint.take_probe(kApi, now));
  EXPECT_EQ(wait(), 5'000) << "until its outcome is told, or for good if it never comes";
  restraint.answered(kApi);
  EXPECT_EQ(wait(), 0);
  EXPECT_FALSE(restraint.take_probe(kApi, now));
}

TEST_F(RestraintTest, H15_OpeningAndClosingAreSaidOnce) {
  fail(4);
  EXPECT_FALSE(restraint.answered(kApi)) << "it was not open";
  fail(4);
  EXPECT_TRUE(restraint.failed(kApi, false, now));
  now += wait();
  ASSERT_TRUE(restraint.take_probe(kApi, now));
  EXPECT_FALSE(restraint.failed(kApi, true, now)) << "it was open";
  EXPECT_TRUE(restraint.answered(kApi));
  EXPECT_FALSE(restraint.answered(kApi));
}

TEST_F(RestraintTest, H15_ThePauseGrowsToAMinute) {
  fail(5);
  for (const std::int64_t pause : {10'000, 20'000, 40'000, 60'000, 60'000}) {
    now += wait();
    ASSERT_TRUE(restraint.take_probe(kApi, now));
    fail(1, true);
    EXPECT_EQ(wait(), pause);
  }
}

TEST_F(RestraintTest, H15_WhatWasOnItsWayWhenItOpenedDoesNotLengthenThePause) {
  fail(64);
  EXPECT_EQ(wait(), 5'000);
}

TEST_F(RestraintTest, H15_PausesAreSpread) {
  share = 0.5;
  fail(5);
  EXPECT_EQ(wait(), 5'500);
}

TEST_F(RestraintTest, H12_WhoWasAskedToWaitWaits) {
  restraint.hold("one", kApi, now + 7'000, now);
  restraint.hold("one", kApi, now + 3'000, now);
  EXPECT_EQ(restraint.held_ms("one", kApi, now), 7'000) << "the longer one";
  EXPECT_EQ(restraint.held_ms("two", kApi, now), 0) << "another's limit may be another";
  EXPECT_EQ(restraint.held_ms("one", "https://other.acme.test", now), 0);
  EXPECT_EQ(restraint.held_ms("one", kApi, now + 7'000), 0);
  EXPECT_EQ(restraint.held_ms("one", kApi, now + 8'000), 0);
}

TEST_F(RestraintTest, T20_RepeatsHaveABudgetThatSuccessesFill) {
  const auto repeat = [this](Status status) { return restraint.spend_for_repeat(kApi, failed(status), now); };
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(repeat(Status::Connect));
  EXPECT_FALSE(repeat(Status::Connect));
  EXPECT_TRUE(restraint.spend_for_repeat("https://other.acme.test", failed(Status::Connect), now)) << "others have their own";
  for (int i = 0; i < 9; ++i) restraint.succeeded(kApi);
  EXPECT_FALSE(repeat(Status::Timeout)) << "one that took long costs more";
  EXPECT_TRUE(repeat(Status::Connect));
  for (int i = 0; i < 1000; ++i) restraint.succeeded(kApi);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(repeat(Status::Timeout));
  EXPECT_FALSE(repeat(Status::Connect));
}

TEST_F(RestraintTest, T20_ABudgetGrowsWithTimeToo) {
  const auto repeat = [this] { return restraint.spend_for_repeat(kApi, failed(Status::Connect), now); };
  while (repeat()) {
  }
  now += 49'000;
  EXPECT_FALSE(repeat());
  now += 1'000;
  EXPECT_TRUE(repeat());
  EXPECT_FALSE(repeat());
  now += 59'000;
  EXPECT_TRUE(repeat());
  now += 41'000;
  EXPECT_TRUE(repeat()) << "what was left of the time counts with what came after";
  EXPECT_FALSE(repeat());
}

TEST_F(RestraintTest, T20_ABudgetGrowsToItsFullSizeAndNoFurther) {
  const auto repeat = [this] { return restraint.spend_for_repeat(kApi, failed(Status::Connect), now); };
  EXPECT_TRUE(repeat());
  now += 24 * 3600 * 1000;
  restraint.succeeded(kApi);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(repeat());
  EXPECT_FALSE(repeat());
}

TEST_F(RestraintTest, T20_WhatIsOverIsForgotten) {
  for (int i = 0; i < 100; ++i) {
    const std::string name = "https://" + std::to_string(i) + ".acme.test";
    restraint.hold(name, name, now + 1'000, now);
    now += 11 * 60'000;
    EXPECT_EQ(restraint.size(), 1U);
    ASSERT_TRUE(restraint.spend_for_repeat(name, failed(Status::Connect), now));
    EXPECT_EQ(restraint.size(), 1U);
    now += 11 * 60'000;
    restraint.failed(name, false, now);
    EXPECT_EQ(restraint.size(), 1U);
    now += 11 * 60'000;
  }
}

TEST_F(RestraintTest, H15_AnOutageLongAgoIsForgotten) {
  fail(5);
  now += 11 * 60'000;
  EXPECT_FALSE(restraint.take_probe(kApi, now));
  EXPECT_EQ(wait(), 0);
}

TEST_F(RestraintTest, H15_FailuresLongAgoAreForgotten) {
  fail(4);
  now += 11 * 60'000;
  fail(4);
  EXPECT_EQ(wait(), 0);
  now += 10 * 60'000;
  fail();
  EXPECT_EQ(wait(), 5'000) << "ten minutes ago is not long ago";
}

TEST_F(RestraintTest, H15_AProbeIsRememberedThatHasNotEnded) {
  share = 1;
  fail(5);
  now += 10 * 60'000;
  ASSERT_TRUE(restraint.take_probe(kApi, now));
  now += 1'000;
  restraint.failed("https://other.acme.test", false, now);  // what is over is forgotten now
  EXPECT_EQ(wait(), 4'000);
}

}  // namespace
}  // namespace fleetauth::net
