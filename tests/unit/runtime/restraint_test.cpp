#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

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

  void start_for(const std::string &account) {
    Options options;
    options.set("account", account);
    const auto request = client->prepare(&options);
    ASSERT_TRUE(request) << request.error()->message;
    start(1, &*request);
  }

  Outcome refused() {
    start();
    answer(call(), 401, R"({"error":"invalid_client"})");
    return outcome();
  }

  /// What becomes of a request that is offered to the host.
  using Fate = std::function<void(const Event &)>;
  using ClientOptions = std::vector<std::pair<std::string, std::string>>;

  static std::shared_ptr<HttpCall> take(const Event &offered) {
    EXPECT_TRUE(offered.call->claim(offered.queue));
    return std::static_pointer_cast<HttpCall>(offered.call);
  }
  static Fate fails(Status status) {
    return [status](const Event &offered) { EXPECT_EQ(take(offered)->fail(status, "", 0), nullptr); };
  }
  static Fate is_answered(std::int32_t status) {
    return [status](const Event &offered) { answer(take(offered), status, "{}"); };
  }
  /// The host says so after that time.
  [[nodiscard]] Fate times_out(std::int64_t after_ms) {
    return [this, after_ms](const Event &offered) {
      const auto request = take(offered);
      clock->advance(after_ms);
      EXPECT_EQ(request->fail(Status::Timeout, "", 0), nullptr);
    };
  }
  static std::vector<Fate> times(int count, const Fate &fate) { return std::vector<Fate>(static_cast<std::size_t>(count), fate); }

  /// Whether a request may not leave after those, each of a client of its own that asks once.
  bool is_open_after(const std::vector<Fate> &fates, ClientOptions options = {}) {
    use(RuntimeSettings{true, 0});
    options.emplace_back("descriptor_patch", std::string(kPassword));
    options.emplace_back("user", "");
    for (const Fate &fate : fates) {
      options.back().second += "x";
      client = make_client(options);
      start();
      const auto offered = event();
      if (!offered || offered->kind != EventKind::HttpCall) {
        ADD_FAILURE() << "not asked";
        return true;
      }
      fate(*offered);
      client->close();
      while (event()) {
      }
    }
    options.back().second = "another";
    client = make_client(options);
    start();
    return call() == nullptr;
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

TEST_F(RestraintOfClientsTest, H15_FailuresOfTheOriginOpenTheBreaker) {
  for (const Status status : {Status::Network, Status::Dns, Status::Connect}) {
    EXPECT_TRUE(is_open_after(times(5, fails(status)))) << status_name(status);
  }
  EXPECT_TRUE(is_open_after(times(5, is_answered(500))));
}

TEST_F(RestraintOfClientsTest, H15_FailuresOfTheClientDoNot) {
  for (const Status status : {Status::Tls, Status::Proxy, Status::Callback}) {
    EXPECT_FALSE(is_open_after(times(5, fails(status)))) << status_name(status);
  }
}

TEST_F(RestraintOfClientsTest, H15_WhoAnswersWhateverItBeIsThere) {
  for (const Fate &fate : {is_answered(200), is_answered(401), is_answered(404), is_answered(429), fails(Status::TooLarge)}) {
    EXPECT_FALSE(is_open_after(times(5, fate)));
    std::vector<Fate> between = times(4, fails(Status::Network));
    between.push_back(fate);
    for (const Fate &failure : times(4, fails(Status::Network))) between.push_back(failure);
    EXPECT_FALSE(is_open_after(between)) << "the count begins again";
  }
}

TEST_F(RestraintOfClientsTest, H15_ATimeoutCountsFromFiveSeconds) {
  EXPECT_TRUE(is_open_after(times(5, times_out(5'000))));
  EXPECT_FALSE(is_open_after(times(5, times_out(4'999)))) << "who is so impatient says little of the origin";
}

TEST_F(RestraintOfClientsTest, H15_SoDoesOneOfTheWholeFetch) {
  const Fate hangs = [this](const Event &offered) {
    (void)take(offered);
    clock->advance(6'000);
    (void)event();
  };
  EXPECT_TRUE(is_open_after(times(5, hangs), {{"total_timeout_ms", "6000"}}));
}

TEST_F(RestraintOfClientsTest, H15_ACallThatNobodyTakesSaysNothingOfTheOrigin) {
  const Fate is_left = [this](const Event &) {
    clock->advance(15'000);
    (void)event();
  };
  EXPECT_FALSE(is_open_after(times(5, is_left)));
}

TEST_F(RestraintOfClientsTest, H15_WhatTheHostMeetsIsNotWhatOursWouldMeet) {
  ASSERT_TRUE(is_open_after(times(5, fails(Status::Connect)), {{"base_url", "https://127.0.0.1:9"}}));
  client = make_client({{"base_url", "https://127.0.0.1:9"}, {"transport", "curl"}, {"proxy", "none"}});
  start();
  EXPECT_FALSE(event()) << "it is tried";
}

TEST_F(RestraintOfClientsTest, H15_ARepeatAfterThePauseIsWaitedFor) {
  for (int user = 0; user < 4; ++user) {
    client = make_client({{"user", std::to_string(user)}, {"descriptor_patch", std::string(kPassword)}});
    start();
    answer(call(), 503, "{}");
    (void)outcome();
  }
  client = make_client();
  start();
  answer(call(), 503, "{}", {{"Retry-After", "7"}});
  EXPECT_FALSE(event()) << "the breaker will have had its pause by then";
  clock->advance(7'350);
  EXPECT_NE(call(), nullptr);
}

TEST_F(RestraintOfClientsTest, T20_RepeatsAreTakenOutOfABudget) {
  int user = 0;
  const auto requests_in_vain = [&] {
    client = make_client({{"user", std::to_string(++user)}});
    start();
    for (int requests = 0;; clock->advance(kSecond)) {
      const auto next = event();
      if (!next) continue;
      if (next->kind == EventKind::Token) return requests;
      is_answered(429)(*next);
      ++requests;
    }
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(requests_in_vain(), 3);
  EXPECT_EQ(requests_in_vain(), 1) << "it is spent";
  for (int i = 0; i < 5; ++i) {
    client = make_client({{"user", std::to_string(++user)}});
    ASSERT_EQ(fetch("tok-1", 3600).secret(), "tok-1");
  }
  EXPECT_EQ(requests_in_vain(), 2) << "five that succeeded pay for one";
}

TEST_F(RestraintOfClientsTest, T15_APasswordThatTheHostTookIsNotSentAgainWhenTimeIsUp) {
  use_password();
  start();
  ASSERT_NE(call(), nullptr);
  clock->advance(15 * kSecond);
  for (auto next = event(); next; next = event()) {
    ASSERT_NE(next->kind, EventKind::HttpCall);
    if (next->kind == EventKind::Token) {
      EXPECT_TRUE(outcome_of(*next).error->in_doubt);
    }
  }
  EXPECT_EQ(peek(), "E_WOULD_BLOCK");
  clock->advance(60 * kSecond);
  EXPECT_FALSE(event());
}

TEST_F(RestraintOfClientsTest, T15_APasswordThatNobodyTookMayStillBeSent) {
  use_password();
  start();
  ASSERT_EQ(event()->kind, EventKind::HttpCall);
  clock->advance(15 * kSecond);
  EXPECT_FALSE(event());
  clock->advance(kSecond);
  EXPECT_NE(call(), nullptr);
}

TEST_F(RestraintOfClientsTest, H06_T15_NorByAnAccountWhoseLoginWaitsForItsTurn) {
  client = make_client({{"descriptor_patch", R"({"steps": {"token": {"class": "one_shot", "rate": {"interval_s": 10},
      "body": {"form": {"account": {"$account": true}}}}}})"}});
  start_for("a");
  start_for("b");
  answer(call(), 401, R"({"error":"invalid_client"})");
  EXPECT_EQ(outcome().status, Status::InvalidCredentials);
  clock->advance(10 * kSecond);
  EXPECT_EQ(outcome().status, Status::InvalidCredentials) << "without having been asked";
  EXPECT_FALSE(event());
}

TEST_F(RestraintOfClientsTest, H12_WhoWaitsForItsTurnLeavesItWhenItHasToWaitLonger) {
  client = make_client({{"total_timeout_ms", "300000"}, {"descriptor_patch", R"({"steps": {"token": {"rate": {"interval_s": 10},
      "body": {"form": {"account": {"$account": true}}}}}})"}});
  start_for("a");
  start_for("b");  // in 10 s
  answer(call(), 429, "{}", {{"Retry-After", "30"}});
  clock->advance(10 * kSecond);
  EXPECT_FALSE(event());
  clock->advance(21'500);
  EXPECT_NE(call(), nullptr);
  EXPECT_EQ(call(), nullptr) << "two at once are more than the rate";
  clock->advance(10 * kSecond);
  EXPECT_NE(call(), nullptr);
}

TEST_F(RestraintOfClientsTest, H12_AClientThatWasAskedToWaitDoesSoForAllItsTokens) {
  constexpr std::string_view kPerAccount = R"({"steps": {"token": {"body": {"form": {"account": {"$account": true}}}}}})";
  client = make_client({{"descriptor_patch", std::string(kPerAccount)}});
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
