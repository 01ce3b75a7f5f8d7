#include "core/runtime/notice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/scripted_host.h"

namespace fleetauth::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ScriptedHost;

constexpr std::int64_t kSecond = 1000;

/// In manual mode: nothing moves unless the test waits for it.
class NoticeTest : public ScriptedHost {
 protected:
  void SetUp() override {
    use(RuntimeSettings{true, 0});
    observer = std::make_shared<Queue>(runtime, Queue::Kind::Loop);
    const auto lock = runtime->engine().enter();
    runtime->engine().observe(observer->id());
  }

  std::vector<std::string> notices() {
    std::vector<std::string> out;
    while (auto next = event(observer)) {
      if (next->kind == EventKind::Notice) out.push_back(*next->notice);
    }
    return out;
  }

  std::shared_ptr<Queue> observer;
};

TEST_F(NoticeTest, ALoginIsARequestAndAToken) {
  const std::int64_t generation = fetch("tok-canary", 3600).answer->token->generation;
  EXPECT_THAT(
      notices(),
      ElementsAre(
          R"({"event":"request","time_ms":1750000000000,"level":"debug","provider":"acme","step":"token","origin":"https://api.acme.test","attempt":1})",
          R"({"event":"login","time_ms":1750000000000,"level":"debug","provider":"acme","credential":"session","generation":)" +
              std::to_string(generation) + R"(,"expires_in_ms":3600000})"));
}

TEST_F(NoticeTest, AFailureIsToldAsItsCallersGetIt) {
  start();
  answer(call(), 401, R"({"error":"invalid_client"})");
  (void)outcome();
  const auto told = notices();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_THAT(told[1], HasSubstr(R"("event":"failure")"));
  EXPECT_THAT(told[1], HasSubstr(R"("status_name":"E_INVALID_CREDENTIALS")"));
  EXPECT_THAT(told[1], HasSubstr(R"("http_status":401,"retryable":false,"in_doubt":false)"));
}

TEST_F(NoticeTest, AFetchThatALogoutOrACloseEndsHasNotFailed) {
  start();
  ASSERT_NE(call(), nullptr);
  ASSERT_TRUE(client->log_out(*queue, 9));
  EXPECT_THAT(notices(), ElementsAre(HasSubstr(R"("event":"request")"), HasSubstr(R"("event":"logout")")));
  while (event()) {
  }
  start();
  ASSERT_NE(call(), nullptr);
  client->close();
  EXPECT_THAT(notices(), ElementsAre(HasSubstr(R"("event":"request")")));
}

TEST_F(NoticeTest, ARepetitionIsToldWithItsWaitForTheProvidersRate) {
  client = make_client({{"descriptor_patch", R"({"steps":{"token":{"rate":{"interval_s":10,"burst":1}}}})"}});
  start();
  answer(call(), 503, "{}");
  const auto told = notices();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_THAT(told[1], HasSubstr(R"("event":"repeat")"));
  EXPECT_THAT(told[1], HasSubstr(R"("wait_ms":10000)"));
  clock->advance(10 * kSecond);
  EXPECT_NE(call(), nullptr);
}

TEST_F(NoticeTest, H15_TheBreakerIsToldWhenItOpensAndWhenItCloses) {
  for (int flight = 0; flight < 5; ++flight) {
    client = make_client({{"user", "user " + std::to_string(flight)}, {"descriptor_patch", R"({"steps":{"token":{"class":"one_shot"}}})"}});
    start();
    answer(call(), 503, "{}");
    (void)outcome();
  }
  const auto opened = notices();
  EXPECT_THAT(opened.at(opened.size() - 2), HasSubstr(R"("event":"breaker_opened")"));
  EXPECT_THAT(opened.at(opened.size() - 2), HasSubstr(R"("wait_ms":5500)"));
  clock->advance(60 * kSecond);
  client = make_client({{"user", "another"}});
  fetch("tok-1", 3600);
  const auto closed = notices();
  ASSERT_EQ(closed.size(), 3U);
  EXPECT_THAT(closed[1], HasSubstr(R"("event":"breaker_closed")"));
}

TEST_F(NoticeTest, ARefusedTokenIsToldWithTheAdvice) {
  const auto first = fetch("tok-1", 3600);
  (void)notices();
  const std::int64_t generation = first.answer->token->generation;
  ASSERT_TRUE(client->report_rejected(first.answer->slot, generation, 401));
  const auto told = notices();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], HasSubstr(R"("event":"rejected")"));
  EXPECT_THAT(told[0], HasSubstr(R"("http_status":401,"advice":"retry","generation":)" + std::to_string(generation)));
}

TEST_F(NoticeTest, L03_NoSecretIsTold) {
  client->serve(*queue);
  fetch("tok-canary", 3600);
  clock->advance(3400 * kSecond);
  EXPECT_EQ(peek(), "tok-canary");
  answer(call(), 503, R"({"error":"tok-canary pa55word"})");
  for (const std::string &told : notices()) {
    EXPECT_THAT(told, Not(HasSubstr("canary")));
    EXPECT_THAT(told, Not(HasSubstr("pa55word")));
  }
}

TEST_F(NoticeTest, WhoTakesNoneDoesNotFillTheMemory) {
  constexpr std::size_t kMost = 1000;
  const auto first = fetch("tok-1", 3600);
  for (int i = 0; i < 2000; ++i) (void)client->report_rejected(first.answer->slot, first.answer->token->generation, 401);
  const auto lock = runtime->engine().enter();
  EXPECT_EQ(runtime->engine().counters().at(static_cast<std::size_t>(NoticeKind::Rejected)), 2000);
  EXPECT_EQ(runtime->engine().counters().at(static_cast<std::size_t>(NoticeKind::Dropped)), static_cast<std::int64_t>(2002 - kMost));
}

TEST_F(NoticeTest, AClosedObserverIsForgotten) {
  observer->close();
  EXPECT_EQ(fetch("tok-1", 3600).secret(), "tok-1");
  observer.reset();
  EXPECT_EQ(peek(), "tok-1");
}

/// Whatever is written is in the table, in its order, and nothing is in the table that is never written.
TEST(NoticeMembers, AreThoseOfTheTable) {
  Error error;
  error.status = Status::Server;
  error.message = "message";
  error.http_status = 503;
  error.provider_code = "code";
  error.retry_after_ms = 5;
  const Notice everything{NoticeKind::Repeat, "provider", "credential", "account", "step", "origin", 2, &error, 0, "retry", 1, 3, 4};
  const std::string json = to_json(everything, 7);
  EXPECT_EQ(
      json,
      R"({"event":"repeat","time_ms":7,"level":"info","provider":"provider","credential":"credential","account":"account",)"
      R"("step":"step","origin":"origin","attempt":2,"status_name":"E_SERVER","message":"message","http_status":503,"provider_code":"code",)"
      R"("retryable":true,"in_doubt":false,"retry_after_ms":5,"advice":"retry","wait_ms":1,"generation":3,"expires_in_ms":4})");
  const auto told = json::parse_tree(json, "notice", Status::Internal);
  ASSERT_TRUE(told);
  ASSERT_EQ(told->members.size(), kNoticeMembers.size());
  for (std::size_t i = 0; i < kNoticeMembers.size(); ++i) EXPECT_EQ(told->members[i].first, kNoticeMembers.at(i).name);
}

TEST(Counters, AreAnObjectOfNumbers) {
  Counters counters{};
  counters[0] = 3;
  EXPECT_EQ(
      to_json(counters),
      R"({"login":3,"refresh":0,"mint":0,"failure":0,"request":0,"repeat":0,"rejected":0,"logout":0,"breaker_opened":0,"breaker_closed":0,"dropped":0})");
}

}  // namespace
}  // namespace fleetauth::runtime
