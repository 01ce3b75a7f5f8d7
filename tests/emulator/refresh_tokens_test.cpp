#include "refresh_tokens.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

class EmulatorRefreshTokens : public testing::Test {
 protected:
  RefreshState state(const std::string &token, std::int64_t now_s = kNow) { return tokens.redeem(token, now_s, policy).state; }

  TokenBook book;
  int made = 0;
  RefreshTokens tokens{book, "provider",
                       [this](const std::string &account, std::int64_t, std::int64_t) { return account + std::to_string(++made); }};
  RefreshPolicy policy{/*rotate=*/true, /*strict=*/true, /*grace_s=*/0, /*lifetime_s=*/100};
};

TEST_F(EmulatorRefreshTokens, WithoutRotationTheTokenStaysAndItsTimeRuns) {
  policy.rotate = false;
  const RefreshGrant first = tokens.issue("a", kNow, 10);
  EXPECT_EQ(first.expires_s, kNow + 10);
  for (const std::int64_t now : {kNow, kNow + 9}) {
    const RefreshGrant again = tokens.redeem(first.token, now, policy);
    EXPECT_EQ(again.state, RefreshState::good);
    EXPECT_EQ(again.token, first.token);
    EXPECT_EQ(again.account, "a");
    EXPECT_EQ(again.family, first.family);
    EXPECT_EQ(again.expires_s, kNow + 10);
  }
  EXPECT_EQ(state(first.token, kNow + 10), RefreshState::expired);
  EXPECT_EQ(state("nobody's"), RefreshState::unknown);
}

TEST_F(EmulatorRefreshTokens, RotationStartsTheTimeAnew) {
  const RefreshGrant first = tokens.issue("a", kNow, 10);
  const RefreshGrant second = tokens.redeem(first.token, kNow + 5, policy);
  EXPECT_EQ(second.state, RefreshState::good);
  EXPECT_NE(second.token, first.token);
  EXPECT_EQ(second.family, first.family);
  EXPECT_EQ(second.expires_s, kNow + 105);
  EXPECT_EQ(state(second.token, kNow + 104), RefreshState::good);
}

TEST_F(EmulatorRefreshTokens, StrictReuseRevokesTheFamilyAndNoOther) {
  const RefreshGrant first = tokens.issue("a", kNow, 10);
  const RefreshGrant other = tokens.issue("a", kNow, 10);
  const RefreshGrant second = tokens.redeem(first.token, kNow, policy);
  book.add({"access", "provider", "access", "a", kNow, kNow + 10, false, first.family});
  EXPECT_EQ(state(first.token), RefreshState::reused);
  EXPECT_EQ(state(second.token), RefreshState::revoked);
  EXPECT_EQ(state(first.token), RefreshState::revoked);
  EXPECT_EQ(book.check("provider", "access", "access", kNow).state, TokenState::revoked);
  EXPECT_EQ(state(other.token), RefreshState::good);
}

TEST_F(EmulatorRefreshTokens, LaxReuseIsRefusedAndRevokesNothing) {
  policy.strict = false;
  const RefreshGrant first = tokens.issue("a", kNow, 10);
  const RefreshGrant second = tokens.redeem(first.token, kNow, policy);
  EXPECT_EQ(state(first.token), RefreshState::reused);
  EXPECT_EQ(state(second.token), RefreshState::good);
}

TEST_F(EmulatorRefreshTokens, GraceCountsFromTheFirstUse) {
  policy.grace_s = 5;
  const RefreshGrant first = tokens.issue("a", kNow, 50);
  const RefreshGrant second = tokens.redeem(first.token, kNow, policy);
  const RefreshGrant twin = tokens.redeem(first.token, kNow + 4, policy);
  EXPECT_EQ(twin.state, RefreshState::good);
  EXPECT_NE(twin.token, second.token);
  EXPECT_EQ(state(first.token, kNow + 5), RefreshState::reused);
  EXPECT_EQ(state(twin.token, kNow + 5), RefreshState::revoked);
}

TEST_F(EmulatorRefreshTokens, AFamilyOrAnAccountCanBeRevoked) {
  const RefreshGrant first = tokens.issue("a", kNow, 10);
  tokens.revoke_family(first.family);
  EXPECT_EQ(state(first.token), RefreshState::revoked);
  const RefreshGrant second = tokens.issue("b", kNow, 10);
  EXPECT_EQ(book.revoke("provider", "", "b"), 1U);
  EXPECT_EQ(state(second.token), RefreshState::revoked);
}

TEST_F(EmulatorRefreshTokens, OfManyAtOnceOneIsFirst) {
  policy.strict = false;
  const std::string token = tokens.issue("a", kNow, 10).token;
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { good += tokens.redeem(token, kNow, policy).state == RefreshState::good ? 1 : 0; });
  }
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(good, 1);
}

TEST_F(EmulatorRefreshTokens, APlantedTokenIsGoodAgainWhateverBecameOfIt) {
  const RefreshGrant planted = tokens.plant("agreed", "a", kNow, 10);
  EXPECT_EQ(planted.token, "agreed");
  EXPECT_EQ(planted.expires_s, kNow + 10);
  EXPECT_EQ(state("agreed"), RefreshState::good);
  EXPECT_EQ(state("agreed"), RefreshState::reused);
  EXPECT_EQ(state("agreed"), RefreshState::revoked);

  const RefreshGrant again = tokens.plant("agreed", "a", kNow, 10);
  EXPECT_NE(again.family, planted.family);
  EXPECT_EQ(state("agreed"), RefreshState::good);
  EXPECT_EQ(state("agreed"), RefreshState::reused);
  tokens.plant("agreed", "a", kNow, 10);
  EXPECT_EQ(state("agreed", kNow + 10), RefreshState::expired);
}

}  // namespace
}  // namespace fleetauth::emulator
