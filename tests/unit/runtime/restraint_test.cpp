#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/runtime/scripted_host.h"

namespace fleetauth::runtime {
namespace {

using testing::Outcome;
using testing::ScriptedHost;

constexpr std::int64_t kSecond = 1000;
constexpr std::string_view kOk = R"({"token":"tok-2","expires_in":3600})";
/// Its step sends a password that the provider counts.
constexpr std::string_view kPassword = R"({"steps": {"token": {"class": "one_shot"}}})";

/// In manual mode: nothing moves unless the test waits for it.
class RestraintOfClientsTest : public ScriptedHost {
 protected:
  void SetUp() override {
    use(RuntimeSettings{true, 0});
    client->serve(*queue);
  }

  void use_password(const std::string &password = "pa55word") {
    client = make_client({{"descriptor_patch", std::string(kPassword)}, {"password", password}});
    client->serve(*queue);
  }

  Outcome refused() {
    start();
    answer(call(), 401, R"({"error":"invalid_client"})");
    return outcome();
  }

  /// What comes when 64 callers ask: answers every request, and counts them. The callers' outcomes are gathered.
  int outage(std::int64_t seconds, std::vector<Outcome> &outcomes) {
    constexpr int kCallers = 64;
    int requests = 0;
    for (std::int64_t second = 0; second < seconds; ++second) {
      for (int caller = 0; caller < kCallers; ++caller) start(caller);
      for (auto next = event(); next; next = event()) {
        if (next->kind == EventKind::Token) {
          outcomes.push_back(outcome_of(*next));
        } else if (next->kind == EventKind::HttpCall && next->call->claim(next->queue)) {
          ++requests;
          answer(std::static_pointer_cast<HttpCall>(next->call), 503, "{}");
        }
      }
      clock->advance(kSecond);
    }
    return requests;
  }
};

TEST_F(RestraintOfClientsTest, H15_AnOutageOfTenMinutesTakesFewRequests) {
  std::vector<Outcome> outcomes;
  const int requests = outage(600, outcomes);
  EXPECT_LE(requests, 30);
  EXPECT_GE(requests, 10) << "that it is over is noticed within a minute or so";
  const auto not_asked =
      std::count_if(outcomes.begin(), outcomes.end(), [](const Outcome &one) { return one.status == Status::Unavailable; });
  EXPECT_GT(not_asked, 0);
  clock->advance(75 * kSecond);
  start();
  for (auto next = event(); next; next = event()) {
    if (next->kind == EventKind::HttpCall && next->call->claim(next->queue)) {
      answer(std::static_pointer_cast<HttpCall>(next->call), 200, kOk);
    }
  }
  EXPECT_EQ(peek(), "tok-2");
}

TEST_F(RestraintOfClientsTest, H15_TheValidTokenIsServedThroughout) {
  ASSERT_EQ(fetch("tok-1", 3600).secret(), "tok-1");
  clock->advance(2900 * kSecond);
  std::vector<Outcome> outcomes;
  EXPECT_LE(outage(600, outcomes), 30);
  ASSERT_GE(outcomes.size(), 600U * 64U);
  EXPECT_TRUE(std::all_of(outcomes.begin(), outcomes.end(), [](const Outcome &one) { return one.secret() == "tok-1"; }));
}

TEST_F(RestraintOfClientsTest, H15_TheErrorSaysThatNobodyWasAsked) {
  for (int flight = 0; flight < 5; ++flight) {
    client = make_client({{"user", "user " + std::to_string(flight)}, {"descriptor_patch", std::string(kPassword)}});
    start();
    answer(call(), 503, "{}");
    EXPECT_EQ(outcome().status, Status::Server);
  }
  client = make_client({{"user", "another"}});
  start();
  const Outcome held = outcome();
  ASSERT_EQ(held.status, Status::Unavailable);
  EXPECT_EQ(held.error->message, "acme: step \"token\" at https://api.acme.test was not asked: it failed repeatedly a moment ago");
  EXPECT_EQ(held.error->retry_after_ms, 5'500);
  EXPECT_TRUE(held.error->is_retryable());
  clock->advance(5'500);
  start();
  answer(call(), 200, kOk);
  EXPECT_EQ(outcome().secret(), "tok-2");
}

TEST_F(RestraintOfClientsTest, H12_AClientThatWasAskedToWaitDoesSoForAllItsTokens) {
  constexpr std::string_view kPerAccount = R"({"steps": {"token": {"body": {"form": {"account": {"$account": true}}}}}})";
  client = make_client({{"descriptor_patch", std::string(kPerAccount)}});
  const auto start_for = [&](const std::string &account) {
    Options options;
    options.set("account", account);
    const auto request = client->prepare(&options);
    ASSERT_TRUE(request) << request.error()->message;
    start(1, &*request);
  };
  start_for("a");
  answer(call(), 429, "{}", {{"Retry-After", "7"}});
  start_for("b");
  clock->advance(7 * kSecond - 1);
  EXPECT_EQ(call(), nullptr);
  clock->advance(kSecond);
  EXPECT_NE(call(), nullptr);
  EXPECT_NE(call(), nullptr);
}

TEST_F(RestraintOfClientsTest, H12_TheWaitIsATwentiethLongerThanAskedFor) {
  client = make_client({{"total_timeout_ms", "300000"}});
  start();
  answer(call(), 429, "{}", {{"Retry-After", "100"}});
  clock->advance(104'900);
  EXPECT_EQ(call(), nullptr);
  clock->advance(100);
  answer(call(), 200, kOk);
  EXPECT_EQ(outcome().secret(), "tok-2");
  EXPECT_FALSE(event());
}

TEST_F(RestraintOfClientsTest, H12_WhoCannotWaitSoLongIsToldWhenToComeBack) {
  use_password();
  start();
  answer(call(), 429, "{}", {{"Retry-After", "60"}});
  EXPECT_EQ(outcome().status, Status::RateLimited);
  ASSERT_TRUE(client->log_out(*queue, 9));
  EXPECT_EQ(event()->kind, EventKind::LoggedOut);
  start();
  const Outcome held = outcome();
  ASSERT_EQ(held.status, Status::RateLimited);
  EXPECT_GE(held.error->retry_after_ms, 60 * kSecond);
  EXPECT_EQ(
      held.error->message,
      "acme: step \"token\" at https://api.acme.test was not asked: it wants this client to wait (Retry-After), beyond total_timeout_ms");
}

TEST_F(RestraintOfClientsTest, H06_T15_ARefusedPasswordIsNeverSentAgain) {
  use_password();
  EXPECT_EQ(refused().status, Status::InvalidCredentials);
  for (int day = 0; day < 30; ++day) {
    clock->advance(24 * 3600 * kSecond);
    start();
    const Outcome again = outcome();
    ASSERT_EQ(again.status, Status::InvalidCredentials);
    EXPECT_EQ(again.error->retry_after_ms, -1) << "waiting is of no use";
    EXPECT_NE(again.error->message.find("it is not sent again"), std::string::npos) << again.error->message;
  }
}

TEST_F(RestraintOfClientsTest, N22_APortalsPageLocksNobodyOut) {
  use_password();
  const auto expect_refused = [this](std::int32_t status, const char *header, const char *value) {
    start();
    const auto request = call();
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(request->add_header(header, value), nullptr);
    EXPECT_EQ(request->append_body("<html>Accept our terms</html>"), nullptr);
    EXPECT_EQ(request->complete(status), nullptr);
    EXPECT_EQ(outcome().status, Status::Protocol);
    clock->advance(5 * kSecond);  // such a failure is remembered for a while
  };
  expect_refused(200, "Content-Type", "text/html");
  expect_refused(302, "Location", "https://portal.example/terms");
  EXPECT_EQ(fetch("tok-1", 3600).secret(), "tok-1");
}

TEST_F(RestraintOfClientsTest, H06_NorByAClientThatComesLater) {
  use_password();
  EXPECT_EQ(refused().status, Status::InvalidCredentials);
  client->close();
  use_password();
  start();
  EXPECT_EQ(outcome().status, Status::InvalidCredentials);
}

TEST_F(RestraintOfClientsTest, H06_NorToRenewATokenThatIsStillGood) {
  use_password();
  ASSERT_EQ(fetch("tok-1", 3600).secret(), "tok-1");
  clock->advance(3400 * kSecond);
  EXPECT_EQ(peek(), "tok-1");
  answer(call(), 401, R"({"error":"invalid_client"})");
  for (int i = 0; i < 60; ++i) {
    clock->advance(kSecond);
    EXPECT_EQ(peek(), "tok-1");
    ASSERT_FALSE(event());
  }
}

TEST_F(RestraintOfClientsTest, H06_ACorrectedPasswordIsSent) {
  use_password("wr0ng");
  EXPECT_EQ(refused().status, Status::InvalidCredentials);
  use_password();
  EXPECT_EQ(fetch("tok-1", 3600).secret(), "tok-1");
}

TEST_F(RestraintOfClientsTest, H06_WhoLogsOutMayTryItOnceMore) {
  use_password();
  EXPECT_EQ(refused().status, Status::InvalidCredentials);
  ASSERT_TRUE(client->log_out(*queue, 9));
  EXPECT_EQ(event()->kind, EventKind::LoggedOut);
  EXPECT_EQ(fetch("tok-1", 3600).secret(), "tok-1");
}

}  // namespace
}  // namespace fleetauth::runtime
