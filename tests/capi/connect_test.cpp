// The time that a connection may take, by a manual clock, over connections that stall or whose answer does.
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "tests/capi/emulator.h"
#include "tests/fault/raw_server.h"

namespace capi {
namespace {

using fleetauth::test::json_answer;
using fleetauth::test::RawConnection;
using fleetauth::test::RawServer;
using fleetauth::test::TestCa;

constexpr std::int64_t kConnectTimeoutMs = 5'000;

/// In manual mode: nothing moves unless the test drives it.
class ConnectTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock_.out(), nullptr), FLEETAUTH_OK);
    runtime_ = make_runtime({{"mode", "manual"}}, clock_.get());
    queue_ = make_queue(runtime_.get());
  }

  void ask(const std::string &origin, const Texts &more) {
    Texts options{{"api_key", "key"},   {"acct_id", "1"},  {"secret", "s"},
                  {"base_url", origin}, {"proxy", "none"}, {"connect_timeout_ms", std::to_string(kConnectTimeoutMs)}};
    options.insert(options.end(), more.begin(), more.end());
    client_ = make_client(runtime_.get(), "fleetup", options);
    op_ = start(client_.get(), queue_.get(), 1);
  }

  void pass(std::int64_t ms) { ASSERT_EQ(fleetauth_clock_advance(clock_.get(), ms, nullptr), FLEETAUTH_OK); }

  /// Drives until the server has seen so many.
  void await(const std::atomic<int> &seen, int count) {
    for (int turns = 0; seen < count && turns < 10'000; ++turns) ASSERT_EQ(take(1).name(), "E_WOULD_BLOCK");
    ASSERT_EQ(seen, count);
  }

  Outcome take(std::int64_t timeout_ms) { return take_outcome(queue_.get(), timeout_ms); }

 private:
  Clock clock_;
  Runtime runtime_;
  Queue queue_;
  Client client_;
  Op op_;
};

TEST_F(ConnectTest, N04_N07_AHandshakeThatStallsEndsAfterItsTimeToTheMillisecond) {
  std::atomic<int> hellos{0};
  const RawServer server([&hellos](RawConnection &connection) {
    connection.await_bytes();
    ++hellos;
    connection.stall();
  });
  const Texts too_short_for_another{{"attempt_timeout_ms", "5100"}, {"total_timeout_ms", "5100"}, {"ca_pem", TestCa().pem()}};
  ask("https://127.0.0.1:" + std::to_string(server.port()), too_short_for_another);
  await(hellos, 1);
  pass(kConnectTimeoutMs - 1);
  EXPECT_EQ(take(0).name(), "E_WOULD_BLOCK");
  pass(1);
  const Outcome outcome = take(0);
  EXPECT_EQ(outcome.name(), "E_TIMEOUT");
  EXPECT_NE(outcome.message().find("connect_timeout_ms"), std::string::npos) << outcome.message();
  EXPECT_EQ(fleetauth_error_in_doubt(outcome.error.get()), 0);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectTest, N07_OnceTheRequestIsSentTheConnectionsTimeIsOver) {
  std::atomic<int> requests{0};
  std::atomic<bool> answer{false};
  const RawServer server([&](RawConnection &connection) {
    connection.read_request();
    ++requests;
    answer.wait(false);
    connection.send(json_answer(R"({"token":"tok"})"));
    connection.stall();
  });
  ask(server.origin(), {{"allow_loopback_http", "true"}});
  await(requests, 1);
  pass(kConnectTimeoutMs + 1'000);
  EXPECT_EQ(take(0).name(), "E_WOULD_BLOCK");
  answer = true;
  answer.notify_all();
  const Outcome outcome = take(10'000);
  EXPECT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_EQ(outcome.secret(), "tok");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectTest, T_2_AnAnswerThatCameWhileNobodyDroveIsTaken) {
  std::atomic<int> requests{0};
  std::atomic<bool> answer{false};
  std::atomic<bool> answered{false};
  const RawServer server([&](RawConnection &connection) {
    connection.read_request();
    ++requests;
    answer.wait(false);
    connection.send(json_answer(R"({"token":"tok"})"));
    answered = true;
    answered.notify_all();
    connection.stall();
  });
  ask(server.origin(), {{"allow_loopback_http", "true"}});
  await(requests, 1);
  answer = true;
  answer.notify_all();
  answered.wait(false);
  pass(3'600'000);
  const Outcome outcome = take(0);
  EXPECT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_EQ(outcome.secret(), "tok");
}

}  // namespace
}  // namespace capi
