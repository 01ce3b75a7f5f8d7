#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/unit/runtime/scripted_host.h"

namespace fleetauth::runtime {
namespace {

using testing::Outcome;
using testing::ScriptedHost;

constexpr std::int64_t kSecond = 1000;
constexpr std::string_view kOk = R"({"token":"tok-1","expires_in":3600})";

class TokenLifeTest : public ScriptedHost {};

TEST_F(TokenLifeTest, AFreshTokenIsAnsweredFromMemory) {
  EXPECT_EQ(peek(), "E_WOULD_BLOCK");
  const Outcome first = fetch("tok-1", 3600);
  EXPECT_EQ(first.secret(), "tok-1");
  EXPECT_FALSE(first.answer->from_cache);
  EXPECT_EQ(peek(), "tok-1");
  start();
  const Outcome again = outcome();
  EXPECT_EQ(again.secret(), "tok-1");
  EXPECT_TRUE(again.answer->from_cache);
}

TEST_F(TokenLifeTest, TenThousandCallersShareOneRequest) {
  for (int i = 0; i < 10'000; ++i) start(i);
  answer(call(), 200, kOk);
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(outcome().secret(), "tok-1");
  EXPECT_FALSE(event());
}

TEST_F(TokenLifeTest, T_8_RenewalsOfAThousandClientsAreSpread) {
  constexpr int kClients = 1000;
  constexpr int kWindow = 60;  // seconds: 5 min before expiry, 10 % to either side
  use(RuntimeSettings{true, 0});
  std::vector<std::shared_ptr<Client>> clients;
  for (int i = 0; i < kClients; ++i) {
    client = clients.emplace_back(make_client({{"user", "user " + std::to_string(i)}}));
    client->serve(*queue);
    ASSERT_EQ(fetch("tok-1", 3600).secret(), "tok-1");
  }
  const auto renewals_now = [&] {
    int count = 0;
    for (const auto &each : clients) EXPECT_TRUE(each->peek(nullptr, std::nullopt, std::nullopt));
    for (auto renewal = call(); renewal != nullptr; renewal = call(), ++count) answer(renewal, 200, kOk);
    return count;
  };
  clock->advance((3600 - 330) * kSecond - 1);
  EXPECT_EQ(renewals_now(), 0) << "none is renewed before the window";
  int all = 0;
  for (int second = 0; second <= kWindow; ++second) {
    const int count = renewals_now();
    EXPECT_LE(count, kClients / 20) << second;
    all += count;
    clock->advance(kSecond);
  }
  EXPECT_EQ(all, kClients);
}

TEST_F(TokenLifeTest, ClientsOfOneConfigurationShareTheirToken) {
  fetch("tok-1", 3600);
  const auto other = make_client();
  EXPECT_TRUE(other->peek(nullptr, std::nullopt, std::nullopt));
}

TEST_F(TokenLifeTest, T17_AnotherPasswordIsAnotherToken) {
  fetch("tok-1", 3600);
  const auto other = make_client({{"password", "another"}});
  EXPECT_FALSE(other->peek(nullptr, std::nullopt, std::nullopt));
}

TEST_F(TokenLifeTest, AStaleTokenIsAnsweredWhileItIsRenewed) {
  client->serve(*queue);
  fetch("tok-1", 3600);
  clock->advance(3400 * kSecond);
  EXPECT_EQ(peek(), "tok-1");
  const auto renewal = call();
  ASSERT_NE(renewal, nullptr);
  EXPECT_EQ(peek(), "tok-1");
  EXPECT_FALSE(event()) << "one renewal at a time";
  answer(renewal, 200, R"({"token":"tok-2","expires_in":3600})");
  EXPECT_EQ(peek(), "tok-2");
}

TEST_F(TokenLifeTest, TheWordChangesWhenATokenTurnsStaleAndWhenItExpires) {
  fetch("tok-1", 3600);
  const auto fresh = client->peek(nullptr, std::nullopt, std::nullopt)->word;
  EXPECT_NE(fresh, 0);
  clock->advance(1000 * kSecond);
  EXPECT_EQ(client->peek(nullptr, std::nullopt, std::nullopt)->word, fresh);
  clock->advance(2400 * kSecond);
  const auto stale = client->peek(nullptr, std::nullopt, std::nullopt)->word;
  EXPECT_NE(stale, fresh);
  clock->advance(200 * kSecond);
  EXPECT_EQ(peek(), "E_WOULD_BLOCK");
}

TEST_F(TokenLifeTest, AFailedRenewalDoesNotCostTheValidToken) {
  client->serve(*queue);
  fetch("tok-1", 3600);
  clock->advance(3400 * kSecond);
  EXPECT_EQ(peek(), "tok-1");
  answer(call(), 401, R"({"error":"invalid_client"})");
  EXPECT_EQ(peek(), "tok-1");
  EXPECT_FALSE(event()) << "the next attempt waits for its back-off";
  clock->advance(2 * kSecond);
  EXPECT_EQ(peek(), "tok-1");
  EXPECT_NE(call(), nullptr);
}

TEST_F(TokenLifeTest, H06_RefusedCredentialsAreNotSentAgainByTheNextCallers) {
  start();
  answer(call(), 401, R"({"error":"invalid_client"})");
  const Outcome first = outcome();
  EXPECT_EQ(first.status, Status::InvalidCredentials);
  EXPECT_EQ(first.error->provider, "acme");
  EXPECT_EQ(first.error->http_status, 401);
  for (int i = 0; i < 100; ++i) {
    start();
    const Outcome next = outcome();
    ASSERT_EQ(next.status, Status::InvalidCredentials);
    ASSERT_GT(next.error->retry_after_ms, 0);
  }
}

TEST_F(TokenLifeTest, H11_AnIdempotentStepIsTriedThreeTimes) {
  start();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const auto request = call();
    ASSERT_NE(request, nullptr) << attempt;
    answer(request, 503, "{}");
    clock->advance(kSecond);
    while (attempt < 3 && !queue->has_events()) std::this_thread::yield();
  }
  EXPECT_EQ(outcome().status, Status::Server);
}

TEST_F(TokenLifeTest, H12_RetryAfterIsKeptForEveryone) {
  start();
  answer(call(), 429, "{}", {{"Retry-After", "7200"}});
  const Outcome first = outcome();
  EXPECT_EQ(first.status, Status::RateLimited);
  EXPECT_EQ(first.error->retry_after_ms, 3600 * kSecond) << "at most an hour";
  clock->advance(3599 * kSecond);
  start();
  EXPECT_EQ(outcome().status, Status::RateLimited);
  clock->advance(2 * kSecond);
  start();
  EXPECT_NE(call(), nullptr);
}

TEST_F(TokenLifeTest, H08_OneRenewalForAnyNumberOfRefusals) {
  const Outcome first = fetch("tok-1", 3600);
  for (int i = 0; i < 1000; ++i) {
    const auto advice = client->report_rejected(first.answer->slot, first.answer->token->generation, 401);
    ASSERT_TRUE(advice);
    ASSERT_EQ(*advice, token::Advice::Retry);
    start(i);
  }
  answer(call(), 200, R"({"token":"tok-2","expires_in":3600})");
  Outcome last;
  for (int i = 0; i < 1000; ++i) last = outcome();
  EXPECT_EQ(last.secret(), "tok-2");
  EXPECT_EQ(*client->report_rejected(last.answer->slot, last.answer->token->generation, 401), token::Advice::Stop);
  EXPECT_EQ(peek(), "tok-2") << "good credentials are not thrown away for an answer that says little";
  EXPECT_FALSE(event());
}

TEST_F(TokenLifeTest, H08_OneRenewalForTenThousandRefusalsFromManyThreads) {
  constexpr int kThreads = 64;
  constexpr int kEach = 160;
  const Outcome first = fetch("tok-1", 3600);
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        const auto advice = client->report_rejected(first.answer->slot, first.answer->token->generation, 401);
        EXPECT_TRUE(advice && *advice == token::Advice::Retry);
        start();
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  answer(call(), 200, R"({"token":"tok-2","expires_in":3600})");
  for (int i = 0; i < kThreads * kEach; ++i) ASSERT_EQ(outcome().secret(), "tok-2");
  EXPECT_FALSE(event()) << "another request";
}

TEST_F(TokenLifeTest, H09_ForbiddenIsNotCuredByAnotherToken) {
  const Outcome first = fetch("tok-1", 3600);
  EXPECT_EQ(*client->report_rejected(first.answer->slot, first.answer->token->generation, 403), token::Advice::Stop);
  EXPECT_EQ(peek(), "tok-1");
}

TEST_F(TokenLifeTest, T_1_StepsOfTheWallClockChangeNothing) {
  fetch("tok-1", 3600);
  clock->step_wall(365LL * 24 * 3600 * kSecond);
  EXPECT_EQ(peek(), "tok-1");
  clock->step_wall(-2 * 365LL * 24 * 3600 * kSecond);
  EXPECT_EQ(peek(), "tok-1");
  clock->advance(3600 * kSecond);
  EXPECT_EQ(peek(), "E_WOULD_BLOCK");
}

TEST_F(TokenLifeTest, T_2_AfterASuspensionTheExpiredTokenIsNotUsedOnceMore) {
  fetch("tok-1", 3600);
  clock->advance(8 * 3600 * kSecond);
  EXPECT_EQ(peek(), "E_WOULD_BLOCK");
  for (int i = 0; i < 10; ++i) start(i);
  answer(call(), 200, R"({"token":"tok-2","expires_in":3600})");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(outcome().secret(), "tok-2");
  EXPECT_FALSE(event());
}

TEST_F(TokenLifeTest, T_7_ATokenThatExpiresOnArrivalIsNotAskedForInALoop) {
  EXPECT_EQ(fetch("tok-1", 0).secret(), "tok-1") << "who waited gets what came";
  start(2);
  EXPECT_FALSE(event()) << "the next request waits a second";
  clock->advance(kSecond);
  while (!queue->has_events()) std::this_thread::yield();
  EXPECT_NE(call(), nullptr);
}

TEST_F(TokenLifeTest, T_7_WhoHasToWaitASecondHasAllTheTimeOfAFetchAfterIt) {
  use(RuntimeSettings{true, 0});
  client = make_client({{"total_timeout_ms", "1000"}});
  ASSERT_EQ(fetch("tok-1", 0).secret(), "tok-1");
  Options options;
  options.set("timeout_ms", "5000");
  const auto patient = client->prepare(&options);
  ASSERT_TRUE(patient);
  start(2, &*patient);
  clock->advance(kSecond);
  EXPECT_NE(call(), nullptr);
}

TEST_F(TokenLifeTest, T_7_ShortLivesTakeNoMoreThanARequestASecond) {
  for (const int life : {0, 1, 5}) {
    use(RuntimeSettings{true, 0});
    const std::string token = R"({"token":"tok-1","expires_in":)" + std::to_string(life) + "}";
    int requests = 0;
    for (int tenth = 0; tenth < 600; ++tenth) {
      start(tenth);
      for (auto next = event(); next; next = event()) {
        if (next->kind != EventKind::HttpCall || !next->call->claim(next->queue)) continue;
        ++requests;
        answer(std::static_pointer_cast<HttpCall>(next->call), 200, token);
      }
      clock->advance(100);
    }
    EXPECT_LE(requests, 61) << life;
    EXPECT_GE(requests, 10) << life;
  }
}

TEST_F(TokenLifeTest, ACallerWhoWantsMoreLifeGetsAnotherToken) {
  fetch("tok-1", 3600);
  clock->advance(3000 * kSecond);
  Options options;
  options.set("min_remaining_ms", "900000");
  const auto request = client->prepare(&options);
  ASSERT_TRUE(request);
  EXPECT_EQ(peek(), "tok-1");
  EXPECT_EQ(client->peek(&*request, std::nullopt, std::nullopt).error()->status, Status::WouldBlock);
  start(1, &*request);
  answer(call(), 200, R"({"token":"tok-2","expires_in":3600})");
  EXPECT_EQ(outcome().secret(), "tok-2");
}

TEST_F(TokenLifeTest, WhoWantsMoreLifeThanThereIsDoesNotLogInWithEveryCall) {
  fetch("tok-1", 3600);
  Options options;
  options.set("min_remaining_ms", "7200000");
  const auto greedy = client->prepare(&options);
  ASSERT_TRUE(greedy);
  for (int i = 0; i < 100; ++i) {
    start(1, &*greedy);
    ASSERT_EQ(outcome().secret(), "tok-1");
  }
}

TEST_F(TokenLifeTest, TheSameTokenAgainIsNotAskedForAtOnce) {
  client->serve(*queue);
  fetch("tok-1", 3600);
  clock->advance(3400 * kSecond);
  EXPECT_EQ(peek(), "tok-1");
  answer(call(), 200, R"({"token":"tok-1","expires_in":200})");
  EXPECT_EQ(peek(), "tok-1");
  EXPECT_FALSE(event());
}

}  // namespace
}  // namespace fleetauth::runtime
