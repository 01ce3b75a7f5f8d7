// The C interface over real TLS, against the emulator.
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "tests/capi/emulator.h"
#include "tests/fault/raw_server.h"

namespace capi {
namespace {

using fleetauth::test::RawConnection;
using fleetauth::test::RawServer;
using nlohmann::json;

constexpr const char *kSecret = "your-app-secret";

class Network : public ::testing::Test {
 protected:
  void SetUp() override { handles_before_ = fleetauth_live_handles(); }
  void TearDown() override { EXPECT_EQ(fleetauth_live_handles(), handles_before_); }

  [[nodiscard]] std::string devices() const { return emulator.url() + "/fleetup/devices"; }
  [[nodiscard]] Client fleetup(const Runtime &runtime, const Texts &more = {}) const {
    return make_client(runtime.get(), "fleetup", fleetup_options(emulator, more));
  }
  /// A fault of FleetUp's token endpoint.
  void fault(const json &what, const json &times = "always") {
    emulator.fault({{"match", {{"path", "/fleetup/token"}}}, {"times", times}, {"do", what}});
  }

  Emulator emulator;

 private:
  std::int64_t handles_before_ = 0;
};

TEST_F(Network, FleetUpATokenThatOpensAResource) {
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime);
  const Outcome outcome = get_token(client.get(), devices());
  ASSERT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_EQ(emulator.get(devices(), outcome.token.get()).status, 200);
  EXPECT_NEAR(static_cast<double>(fleetauth_token_expires_in_ms(outcome.token.get())), 3600e3, 5e3);
  EXPECT_EQ(get_token(client.get()).secret(), outcome.secret());
  EXPECT_EQ(emulator.requests("token"), 1U);
}

TEST_F(Network, FleetUpLegacyATokenThatOpensAResource) {
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime, {{"scheme", "legacy"}});
  const Outcome outcome = get_token(client.get(), devices());
  ASSERT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_STREQ(fleetauth_token_header_name(outcome.token.get(), 0, nullptr), "token");
  EXPECT_EQ(emulator.requests("legacy token"), 1U);
}

TEST_F(Network, MyConnectedFleetATokenForEveryApi) {
  const Runtime runtime = make_runtime();
  const Client client = make_client(runtime.get(), "my_connected_fleet", my_connected_fleet_options(emulator));
  const std::string api = emulator.url() + "/mcf-api";
  for (const std::string path :
       {"/connect-webservices/services/public/v1/customer/1001/tracking/live",
        "/connect-webservices/services/public/v1/customer/1001/tire/events", "/job-management/v1/customer/1001/jobs"}) {
    const Outcome outcome = get_token(client.get(), api + path);
    ASSERT_EQ(outcome.name(), "OK") << path << outcome.message();
    EXPECT_EQ(emulator.get(api + path, outcome.token.get()).status, 200) << path;
  }
  EXPECT_EQ(emulator.admin("GET", "/log?endpoint=/mcf-auth/masternauth-oauth/oauth/accessToken").at("entries").size(), 1U);
}

TEST_F(Network, H06_WrongCredentialsAreSentOnce) {
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime, {{"secret", "wrong-canary"}});
  for (int i = 0; i < 100; ++i) {
    const Outcome outcome = get_token(client.get());
    ASSERT_EQ(outcome.name(), "E_INVALID_CREDENTIALS");
    ASSERT_EQ(fleetauth_error_http_status(outcome.error.get()), 401);
    ASSERT_EQ(outcome.message().find("wrong-canary"), std::string::npos);
  }
  EXPECT_EQ(emulator.requests("token"), 1U);
}

TEST_F(Network, H06_WrongClientSecretInEveryFormTheProviderHas) {
  const Runtime runtime = make_runtime();
  for (const char *form : {"oauth_401", "success_false", "success_false_with_token"}) {
    emulator.admin("POST", "/config", {{"my_connected_fleet", {{"bad_client", form}}}});
    const Client client = make_client(runtime.get(), "my_connected_fleet",
                                      my_connected_fleet_options(emulator, {{"client_secret", std::string("wrong-") + form}}));
    const Outcome outcome = get_token(client.get());
    EXPECT_EQ(outcome.name(), "E_INVALID_CREDENTIALS") << form << ": " << outcome.message();
  }
}

TEST_F(Network, H08_ARevokedTokenIsReplaced) {
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime);
  const Outcome first = get_token(client.get(), devices());
  ASSERT_EQ(emulator.get(devices(), first.token.get()).status, 200);
  emulator.admin("POST", "/revoke", {{"provider", "fleetup"}});
  ASSERT_EQ(emulator.get(devices(), first.token.get()).status, 401);

  std::int32_t advice = 0;
  ASSERT_EQ(fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(first.token.get()),
                                             fleetauth_token_generation(first.token.get()), 401, nullptr, 0, &advice, nullptr),
            FLEETAUTH_OK);
  EXPECT_EQ(advice, FLEETAUTH_ADVICE_RETRY);
  const Outcome second = get_token(client.get(), devices());
  ASSERT_EQ(second.name(), "OK") << second.message();
  EXPECT_EQ(emulator.get(devices(), second.token.get()).status, 200);
  EXPECT_EQ(emulator.requests("token"), 2U);
}

TEST_F(Network, T20_TenThousandCallersOfAnExpiredTokenOneRequest) {
  Clock clock;
  ASSERT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock.out(), nullptr), FLEETAUTH_OK);
  const Runtime runtime = make_runtime({}, clock.get());
  const Client client = fleetup(runtime);
  const std::string expired = get_token(client.get()).secret();
  ASSERT_EQ(fleetauth_clock_advance(clock.get(), 3'600'000, nullptr), FLEETAUTH_OK);
  fault({{"hold", "herd"}}, 1);
  const Queue queue = make_queue(runtime.get());
  for (std::int64_t i = 0; i < 10'000; ++i) start(client.get(), queue.get(), i);
  emulator.admin("POST", "/release", {{"gate", "herd"}});
  std::set<std::int64_t> done;
  std::set<std::string> tokens;
  for (int i = 0; i < 10'000; ++i) {
    std::int64_t tag = -1;
    const Outcome outcome = take_outcome(queue.get(), 10'000, &tag);
    ASSERT_EQ(outcome.name(), "OK") << outcome.message();
    done.insert(tag);
    tokens.insert(outcome.secret());
  }
  EXPECT_EQ(done.size(), 10'000U);
  EXPECT_EQ(tokens.size(), 1U);
  EXPECT_FALSE(tokens.contains(expired));
  EXPECT_EQ(emulator.requests("token"), 2U);
}

/// Threads which all ask at once, in a runtime of the mode.
void ask_from_threads(Emulator &emulator, const std::string &mode) {
  const Runtime runtime = make_runtime({{"mode", mode}});
  const Client client = make_client(runtime.get(), "fleetup", fleetup_options(emulator));
  std::vector<std::string> results(16);
  std::vector<std::thread> threads;
  for (std::string &result : results) {
    threads.emplace_back([&] { result = get_token(client.get()).secret(); });
  }
  for (std::thread &thread : threads) thread.join();
  EXPECT_NE(results[0], "");
  EXPECT_EQ(std::set<std::string>(results.begin(), results.end()).size(), 1U);
  EXPECT_EQ(emulator.requests("token"), 1U);
}

TEST_F(Network, T20_ManyThreadsOneRequest) { ask_from_threads(emulator, "threaded"); }
TEST_F(Network, T20_ManyThreadsOneRequestWithoutAThreadOfOurs) { ask_from_threads(emulator, "manual"); }

TEST_F(Network, N12_AnAnswerThatDoesNotComeEndsWithTheDeadline) {
  fault({{"hold", "for ever"}});
  const auto before = std::chrono::steady_clock::now();
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime, {{"attempt_timeout_ms", "200"}, {"total_timeout_ms", "700"}});
  const Outcome outcome = get_token(client.get());
  const auto spent = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(outcome.name(), "E_TIMEOUT") << outcome.message();
  EXPECT_GE(spent, std::chrono::milliseconds(390)) << "two attempts; the pause after them may be too long for a third";
  EXPECT_LT(spent, std::chrono::seconds(5));
}

TEST_F(Network, N12_DeadlinesFollowTheClock) {
  fault({{"hold", "for ever"}});
  Clock clock;
  ASSERT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock.out(), nullptr), FLEETAUTH_OK);
  const Runtime runtime = make_runtime({}, clock.get());
  const Client client = fleetup(runtime);
  const Queue queue = make_queue(runtime.get());
  start(client.get(), queue.get(), 1);
  emulator.await_requests(1);
  ASSERT_EQ(fleetauth_clock_advance(clock.get(), 30'000, nullptr), FLEETAUTH_OK);
  EXPECT_EQ(take_outcome(queue.get()).name(), "E_TIMEOUT");
}

TEST_F(Network, N11_ALostAnswerOfARepeatableStepIsAskedForAgain) {
  fault({{"drop", "after"}}, 1);
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime);
  const Outcome outcome = get_token(client.get(), devices());
  ASSERT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_EQ(emulator.get(devices(), outcome.token.get()).status, 200);
  EXPECT_EQ(emulator.requests("token"), 2U);
}

TEST_F(Network, N10_AStepThatMustNotBeRepeatedIsSentOnce) {
  // The first request leaves a connection behind that could be used again; then the answer of the second is lost on it.
  const Runtime runtime = make_runtime();
  const Texts one_shot = {{"descriptor_patch", R"({"steps":{"token":{"class":"one_shot"}}})"}};
  const Client client = fleetup(runtime, one_shot);
  const Outcome first = get_token(client.get());
  ASSERT_EQ(first.name(), "OK") << first.message();
  std::int32_t advice = 0;
  fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(first.token.get()), fleetauth_token_generation(first.token.get()),
                                   401, nullptr, 0, &advice, nullptr);
  fault({{"drop", "after"}});
  const Outcome lost = get_token(client.get());
  EXPECT_EQ(lost.name(), "E_NETWORK") << lost.message();
  EXPECT_EQ(fleetauth_error_in_doubt(lost.error.get()), 1);
  EXPECT_EQ(emulator.requests("token"), 2U);
}

TEST_F(Network, N09_AResetConnectionIsAskedAgain) {
  fault({{"drop", "before"}, {"reset", true}}, 2);
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime);
  EXPECT_EQ(get_token(client.get()).name(), "OK");
  EXPECT_EQ(emulator.requests("token"), 3U);
}

TEST_F(Network, N14_ATruncatedAnswerIsNotRead) {
  fault({{"truncate", 10}});
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime);
  const Outcome outcome = get_token(client.get());
  EXPECT_EQ(outcome.name(), "E_NETWORK") << outcome.message();
  EXPECT_EQ(emulator.requests("token"), 3U);
}

TEST_F(Network, N21_GarbageInPlaceOfTheAnswer) {
  fault({{"garbage", "status_line"}});
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime);
  EXPECT_EQ(get_token(client.get()).name(), "E_PROTOCOL");
}

TEST_F(Network, H04_ARedirectIsNotFollowed) {
  fault({{"status", 307}, {"headers", {{"Location", devices() + "?next=secret-canary"}}}});
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime);
  const Outcome outcome = get_token(client.get());
  EXPECT_EQ(outcome.name(), "E_PROTOCOL");
  EXPECT_NE(outcome.message().find(emulator.url() + ";"), std::string::npos) << outcome.message();
  EXPECT_EQ(outcome.message().find("secret-canary"), std::string::npos);
  EXPECT_EQ(emulator.requests("resource"), 0U);
  EXPECT_EQ(emulator.requests("token"), 1U);
}

TEST_F(Network, N22_APageInPlaceOfTheAnswer) {
  fault({{"html", true}});
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime);
  const Outcome outcome = get_token(client.get());
  EXPECT_EQ(outcome.name(), "E_PROTOCOL") << outcome.message();
  EXPECT_NE(outcome.message().find("portal"), std::string::npos) << outcome.message();
}

TEST_F(Network, H12_AThrottleIsKept) {
  fault({{"status", 429}, {"headers", {{"Retry-After", "120"}}}}, 1);
  Clock clock;
  ASSERT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock.out(), nullptr), FLEETAUTH_OK);
  const Runtime runtime = make_runtime({}, clock.get());
  const Client client = fleetup(runtime);
  for (int i = 0; i < 10; ++i) {
    const Outcome outcome = get_token(client.get());
    ASSERT_EQ(outcome.name(), "E_RATE_LIMITED") << outcome.message();
    EXPECT_EQ(fleetauth_error_retry_after_ms(outcome.error.get()), 120'000);
  }
  EXPECT_EQ(emulator.requests("token"), 1U);
  ASSERT_EQ(fleetauth_clock_advance(clock.get(), 120'000, nullptr), FLEETAUTH_OK);
  EXPECT_EQ(get_token(client.get()).name(), "OK");
  EXPECT_EQ(emulator.requests("token"), 2U);
}

TEST_F(Network, H11_AServerThatRecoversIsAskedAgain) {
  fault({{"status", 503}}, 2);
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime);
  EXPECT_EQ(get_token(client.get()).name(), "OK");
  EXPECT_EQ(emulator.requests("token"), 3U);
}

TEST_F(Network, R01_AStaleTokenIsRenewedInTheBackgroundByOneRequest) {
  emulator.admin("POST", "/lifetime", {{"provider", "fleetup"}, {"seconds", 100}});
  Clock clock;
  ASSERT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock.out(), nullptr), FLEETAUTH_OK);
  const Runtime runtime = make_runtime({}, clock.get());
  const Client client = fleetup(runtime);
  const std::string first = get_token(client.get()).secret();
  ASSERT_EQ(fleetauth_clock_advance(clock.get(), 85'000, nullptr), FLEETAUTH_OK);
  EXPECT_EQ(get_token(client.get()).secret(), first) << "a stale token is answered at once";
  emulator.await_requests(2);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (get_token(client.get()).secret() == first && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_NE(get_token(client.get()).secret(), first);
  EXPECT_EQ(emulator.requests("token"), 2U);
}

TEST_F(Network, N05_AnUnknownAuthorityIsRefusedBeforeAnythingIsSent) {
  const Runtime runtime = make_runtime();
  Texts options = fleetup_options(emulator);
  std::erase_if(options, [](const auto &option) { return option.first == "ca_file"; });
  const Client client = make_client(runtime.get(), "fleetup", options);
  const Outcome outcome = get_token(client.get());
  EXPECT_EQ(outcome.name(), "E_TLS") << outcome.message();
  EXPECT_EQ(fleetauth_error_in_doubt(outcome.error.get()), 0);
  EXPECT_EQ(emulator.requests("token"), 0U);
}

TEST_F(Network, N01_NobodyListens) {
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime, {{"base_url", "https://127.0.0.1:1"}});
  const Outcome outcome = get_token(client.get());
  EXPECT_EQ(outcome.name(), "E_CONNECT") << outcome.message();
  EXPECT_EQ(fleetauth_error_in_doubt(outcome.error.get()), 0);
  EXPECT_EQ(fleetauth_error_retryable(outcome.error.get()), 1);
}

/// A proxy that answers CONNECT with this, and then opens a tunnel if there is a port.
RawServer proxy_that_answers(const std::string &answer, int port = 0) {
  return RawServer([answer, port](RawConnection &connection) {
    connection.read_request();
    connection.send(answer);
    if (port != 0) connection.tunnel(port);
    connection.close();
  });
}

TEST_F(Network, N23_AProxyThatRefusesOrDiesIsNamedAndLearnsNothing) {
  const Runtime runtime = make_runtime();
  for (const char *answer : {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP/1.1 200 Connection established\r\n\r\n"}) {
    const RawServer proxy = proxy_that_answers(answer);
    const Client client = fleetup(runtime, {{"proxy", proxy.origin()}});
    const Outcome outcome = get_token(client.get());
    EXPECT_EQ(outcome.name(), "E_PROXY") << answer << outcome.message();
    EXPECT_NE(outcome.message().find(proxy.origin()), std::string::npos) << outcome.message();
    EXPECT_GT(proxy.connections(), 0);
    EXPECT_EQ(proxy.received().find(kSecret), std::string::npos);
  }
  EXPECT_EQ(emulator.requests("token"), 0U);
}

TEST_F(Network, N23_ATokenComesThroughAProxy) {
  const int port = std::stoi(emulator.url().substr(emulator.url().rfind(':') + 1));
  const RawServer proxy = proxy_that_answers("HTTP/1.1 200 Connection established\r\n\r\n", port);
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime, {{"proxy", proxy.origin()}});
  const Outcome outcome = get_token(client.get());
  EXPECT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_EQ(proxy.connections(), 1);
  EXPECT_EQ(proxy.received().find(kSecret), std::string::npos);
  EXPECT_EQ(proxy.received().find("/fleetup"), std::string::npos);
}

TEST_F(Network, H15_WhatAnOriginDoesOnOneWayIsNotHeldAgainstItOnAnother) {
  const int port = std::stoi(emulator.url().substr(emulator.url().rfind(':') + 1));
  const RawServer proxy = proxy_that_answers("HTTP/1.1 200 Connection established\r\n\r\n", port);
  const Runtime runtime = make_runtime();
  int users = 0;
  const auto log_in = [&](const std::string &by) {
    const std::string user = "user" + std::to_string(++users) + "@fleet.example";
    const Client client = make_client(runtime.get(), "fleet_orchestrator",
                                      {{"email", user},
                                       {"password", "demo-password"},
                                       {"base_url", emulator.url() + "/fo"},
                                       {"ca_file", emulator.ca_file()},
                                       {"proxy", by}});
    return get_token(client.get()).name();
  };
  emulator.fault({{"match", {{"path", "/fo/auth/login"}}}, {"times", "always"}, {"do", {{"status", 503}}}});
  for (int failures = 0; failures < 5; ++failures) EXPECT_EQ(log_in(proxy.origin()), "E_SERVER");
  EXPECT_EQ(log_in(proxy.origin()), "E_UNAVAILABLE");
  EXPECT_EQ(log_in("none"), "E_SERVER") << "it is asked";
}

TEST_F(Network, ClosingTheRuntimeDoesNotWaitForAHungServer) {
  fault({{"hold", "for ever"}});
  const Runtime runtime = make_runtime();
  const Client client = fleetup(runtime);
  const Queue queue = make_queue(runtime.get());
  start(client.get(), queue.get(), 1);
  emulator.await_requests(1);
  EXPECT_EQ(fleetauth_runtime_close(runtime.get(), 10'000, nullptr), FLEETAUTH_OK) << "less than an attempt's 15 s";
  EXPECT_EQ(take_outcome(queue.get()).name(), "E_CLOSED");
}

}  // namespace
}  // namespace capi
