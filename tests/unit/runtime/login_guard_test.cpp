#include "core/runtime/login_guard.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scripted_host.h"

namespace fleetauth::runtime {
namespace {

using testing::Outcome;

constexpr std::int64_t kSecond = 1000;
constexpr int kAccounts = 20;

/// A client of many accounts, all of whose tokens are had with one password.
class LoginGuardTest : public testing::ScriptedHost {
 protected:
  void SetUp() override {
    use(RuntimeSettings{true, 0});
    client = make_client({{"descriptor_patch", R"({"steps": {"token": {
      "class": "one_shot",
      "body": {"form": {"user": {"$param": "user"}, "password": {"$param": "password"}, "account": {"$account": true}}}
    }}})"}});
    client->serve(*queue);
  }

  void start_for(int account) {
    Options options;
    options.set("account", "account " + std::to_string(account));
    const auto request = client->prepare(&options);
    ASSERT_TRUE(request) << request.error()->message;
    start(account, &*request);
  }

  void start_all() {
    for (int account = 0; account < kAccounts; ++account) start_for(account);
  }

  /// What is on the queue: requests, taken, and the outcomes of those who waited.
  struct Seen {
    std::vector<std::shared_ptr<HttpCall>> requests;
    std::vector<Outcome> outcomes;
  };

  Seen see() {
    Seen seen;
    for (auto next = event(); next; next = event()) {
      if (next->kind == EventKind::Token) {
        seen.outcomes.push_back(outcome_of(*next));
      } else if (next->kind == EventKind::HttpCall && next->call->claim(next->queue)) {
        seen.requests.push_back(std::static_pointer_cast<HttpCall>(next->call));
      }
    }
    return seen;
  }

  static void answer_well(const std::shared_ptr<HttpCall> &request) { answer(request, 200, R"({"token":"tok","expires_in":3600})"); }
};

TEST_F(LoginGuardTest, H06_T15_AWrongPasswordIsSentOnceForAllAccounts) {
  start_all();
  const Seen first = see();
  ASSERT_EQ(first.requests.size(), 1U);
  answer(first.requests[0], 401, R"({"error":"invalid_client"})");
  const Seen then = see();
  EXPECT_EQ(then.requests.size(), 0U);
  ASSERT_EQ(then.outcomes.size(), static_cast<std::size_t>(kAccounts));
  for (const Outcome &outcome : then.outcomes) EXPECT_EQ(outcome.status, Status::InvalidCredentials);
  EXPECT_EQ(then.outcomes.back().error->message, then.outcomes[1].error->message);
}

TEST_F(LoginGuardTest, OnceItIsKnownToBeRightTheOthersLeaveTogether) {
  start_all();
  answer_well(see().requests.at(0));
  const Seen others = see();
  EXPECT_EQ(others.outcomes.size(), 1U);
  ASSERT_EQ(others.requests.size(), static_cast<std::size_t>(kAccounts - 1));
  for (const auto &request : others.requests) answer_well(request);
  EXPECT_EQ(see().outcomes.size(), static_cast<std::size_t>(kAccounts - 1));
}

TEST_F(LoginGuardTest, WhoLearnsNothingLetsTheNextTry) {
  start_for(0);
  start_for(1);
  answer(see().requests.at(0), 503, "{}");
  const Seen next = see();
  EXPECT_EQ(next.outcomes.at(0).status, Status::Server);
  answer_well(next.requests.at(0));
  EXPECT_EQ(see().outcomes.at(0).secret(), "tok");
}

TEST_F(LoginGuardTest, AfterARefusalItIsUnknownAgain) {
  start_for(0);
  answer_well(see().requests.at(0));
  clock->advance(2 * 3600 * kSecond);
  start_for(0);
  answer(see().requests.at(0), 401, R"({"error":"invalid_client"})");
  ASSERT_TRUE(client->log_out(*queue, 99));
  (void)see();
  start_for(1);
  start_for(2);
  EXPECT_EQ(see().requests.size(), 1U);
}

TEST_F(LoginGuardTest, WhenTheClientEndsSoDoAllWhoWait) {
  start_all();
  const Seen first = see();
  client->close();
  const Seen then = see();
  EXPECT_EQ(then.requests.size(), 0U);
  ASSERT_EQ(then.outcomes.size(), static_cast<std::size_t>(kAccounts));
  for (const Outcome &outcome : then.outcomes) EXPECT_EQ(outcome.status, Status::Closed);
}

TEST(LoginGuardAlone, H06_H17_ALoginIsLockedOutOnceItWasRefusedMoreOftenThanTolerated) {
  LoginGuard guard;
  const ErrorPtr refusal = fail(Status::OtpRejected, "refused");
  for (int round = 0; round < 2; ++round) {
    guard.refused("login", refusal, 1);
    EXPECT_EQ(guard.locked_out("login"), nullptr) << "one is tolerated";
    guard.refused("login", refusal, 1);
    EXPECT_EQ(guard.locked_out("login"), refusal);
    EXPECT_EQ(guard.locked_out("another"), nullptr);
    guard.forgive("login");
    EXPECT_EQ(guard.locked_out("login"), nullptr);
  }
}

TEST(LoginGuardAlone, H06_TheThousandLoginsThatWereRefusedLastAreRemembered) {
  LoginGuard guard;
  const ErrorPtr refusal = fail(Status::InvalidCredentials, "refused");
  for (int login = 0; login < 1000; ++login) guard.refused(std::to_string(login), refusal, 0);
  for (int again = 0; again < 10; ++again) guard.refused("999", refusal, 0);
  EXPECT_NE(guard.locked_out("0"), nullptr) << "one login takes one place";
  guard.refused("0", refusal, 0);
  guard.refused("1000", refusal, 0);
  EXPECT_EQ(guard.locked_out("1"), nullptr) << "the one that was refused longest ago is given up";
  EXPECT_NE(guard.locked_out("0"), nullptr);
  EXPECT_NE(guard.locked_out("2"), nullptr);
}

}  // namespace
}  // namespace fleetauth::runtime
