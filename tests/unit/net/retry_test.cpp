#include "core/net/retry.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fleetauth::net {
namespace {

using flow::CallClass;
using flow::Sent;

Error failed(Status status) {
  Error error;
  error.status = status;
  return error;
}

TEST(Retry, N01_IdempotentRequestsLeaveAtMostThreeTimes) {
  const Error error = failed(Status::Connect);
  EXPECT_TRUE(may_repeat(CallClass::Idempotent, 1, error, Sent::No));
  EXPECT_TRUE(may_repeat(CallClass::Idempotent, 2, error, Sent::Maybe));
  EXPECT_FALSE(may_repeat(CallClass::Idempotent, 3, error, Sent::No));
}

TEST(Retry, T15_OneShotRequestsNeverLeaveTwice) {
  for (const CallClass call_class : {CallClass::OneShot, CallClass::Refresh}) {
    EXPECT_TRUE(may_repeat(call_class, 1, failed(Status::Connect), Sent::No));
    EXPECT_FALSE(may_repeat(call_class, 1, failed(Status::Network), Sent::Maybe));
    EXPECT_FALSE(may_repeat(call_class, 1, failed(Status::Server), Sent::Maybe));
    EXPECT_FALSE(may_repeat(call_class, 3, failed(Status::Connect), Sent::No));
  }
}

TEST(Retry, N05_WhatCannotSucceedIsNotRepeated) {
  for (const Status status :
       {Status::Tls, Status::Protocol, Status::InvalidCredentials, Status::Config, Status::AccessDenied, Status::TooLarge}) {
    EXPECT_FALSE(may_repeat(CallClass::Idempotent, 1, failed(status), Sent::No)) << static_cast<int>(status);
  }
}

TEST(Retry, AnErrorMayOverrideTheTable) {
  Error error = failed(Status::Server);
  error.retryable = false;
  EXPECT_FALSE(may_repeat(CallClass::Idempotent, 1, error, Sent::No));
}

TEST(Backoff, H11_GrowsToTenSecondsAndIsSpreadOverTheWholeRange) {
  const Error error = failed(Status::Connect);
  const Random highest = [] { return 0.9999999; };
  const Random lowest = [] { return 0.0; };
  const std::int64_t ceilings[] = {250, 500, 1'000, 2'000, 4'000, 8'000, 10'000, 10'000};
  for (int attempt = 1; attempt <= 8; ++attempt) {
    EXPECT_EQ(backoff_ms(attempt, error, highest), ceilings[attempt - 1] - 1) << attempt;
    EXPECT_EQ(backoff_ms(attempt, error, lowest), 0) << attempt;
  }
  EXPECT_EQ(backoff_ms(1'000'000, error, highest), 9'999);
  EXPECT_EQ(backoff_ms(0, error, highest), 249);
}

TEST(Backoff, H12_NeverComesBackEarlierThanTheServerAsked) {
  Error error = failed(Status::RateLimited);
  error.retry_after_ms = 7'000;
  EXPECT_EQ(backoff_ms(1, error, [] { return 0.5; }), 7'000);
  EXPECT_GE(backoff_ms(9, error, [] { return 0.9; }), 9'000);
}

}  // namespace
}  // namespace fleetauth::net
