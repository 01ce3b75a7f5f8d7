#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/runtime/scripted_host.h"

namespace fleetauth::runtime {
namespace {

using testing::ScriptedHost;

constexpr std::string_view kPerAccount = R"({"steps": {"token": {"body": {"form": {"account": {"$account": true}}}}}})";

/// A client with a token per account, of which it keeps some.
class AccountsTest : public ScriptedHost {
 protected:
  void keep(int accounts) {
    use(RuntimeSettings{true, 0});
    client = make_client({{"descriptor_patch", std::string(kPerAccount)}, {"max_tokens", std::to_string(accounts)}});
  }

  [[nodiscard]] Request of(const std::string &account) const {
    Options options;
    options.set("account", account);
    auto request = client->prepare(&options);
    EXPECT_TRUE(request);
    return std::move(*request);
  }

  void log_in(const Request &request, const std::string &token) {
    start(1, &request);
    answer(call(), 200, R"({"token":")" + token + R"(","expires_in":3600})");
    EXPECT_EQ(outcome().secret(), token);
  }

  [[nodiscard]] std::string peek(const Request &request) const {
    const auto peeked = client->peek(&request, std::nullopt, std::nullopt);
    return peeked ? std::string(peeked->token->secret.view()) : std::string(status_name(peeked.error()->status));
  }
};

TEST_F(AccountsTest, TheOneNotAskedForLongestIsForgotten) {
  keep(2);
  const Request a = of("a");
  const Request b = of("b");
  log_in(a, "tok-a");
  log_in(b, "tok-b");
  EXPECT_EQ(peek(a), "tok-a");
  log_in(of("c"), "tok-c");
  EXPECT_EQ(peek(a), "tok-a");
  EXPECT_EQ(peek(b), "E_WOULD_BLOCK");
}

TEST_F(AccountsTest, APreparedRequestFindsAnAccountThatWasForgotten) {
  keep(1);
  const Request a = of("a");
  log_in(a, "tok-1");
  EXPECT_EQ(peek(a), "tok-1");
  log_in(of("b"), "tok-2");
  EXPECT_EQ(peek(a), "E_WOULD_BLOCK");
  log_in(a, "tok-3");
  EXPECT_EQ(peek(a), "tok-3");
  EXPECT_EQ(peek(of("a")), "tok-3") << "one source for an account";
}

TEST_F(AccountsTest, AnAnswerToATokenThatWasForgottenIsNoError) {
  keep(1);
  const Request a = of("a");
  log_in(a, "tok-1");
  const auto old = client->peek(&a, std::nullopt, std::nullopt);
  log_in(of("b"), "tok-2");
  EXPECT_EQ(*client->report_rejected(old->slot, old->token->generation, 401), token::Advice::Retry);
  EXPECT_EQ(*client->report_rejected(old->slot, old->token->generation, 404), token::Advice::Stop);
}

TEST_F(AccountsTest, APreparedRequestSharesItsAccountWithTheOthers) {
  keep(10);
  const Request first = of("a");
  const Request second = of("a");
  log_in(first, "tok-1");
  EXPECT_EQ(peek(second), "tok-1");
  const Request own = of("");
  log_in(own, "tok-own");
  EXPECT_EQ(peek(own), "tok-own");
  EXPECT_EQ(ScriptedHost::peek(), "tok-own") << "no account is an account too";
}

TEST_F(AccountsTest, OfManyEachRequestFindsItsOwnAccount) {
  constexpr int kMany = 1100;
  keep(2 * kMany);
  for (int i = 0; i < kMany; ++i) {
    const std::string name = std::to_string(i);
    log_in(of(name), "tok-" + name);
  }
  EXPECT_EQ(peek(of("5")), "tok-5");
  EXPECT_EQ(peek(of("7")), "tok-7") << "by its name, though the order is not touched";
  EXPECT_EQ(peek(of("0")), "tok-0");
}

TEST_F(AccountsTest, OfManyTheOrderIsGoodToTheSecond) {
  constexpr int kMany = 1100;
  keep(kMany);
  std::vector<Request> requests;
  for (int i = 0; i < kMany; ++i) {
    requests.push_back(of(std::to_string(i)));
    log_in(requests.back(), "tok-" + std::to_string(i));
  }
  clock->advance(1000);
  EXPECT_EQ(peek(requests[0]), "tok-0");
  log_in(of("new"), "tok-new");
  EXPECT_EQ(peek(requests[1]), "E_WOULD_BLOCK");
  EXPECT_EQ(peek(requests[0]), "tok-0");
}

}  // namespace
}  // namespace fleetauth::runtime
