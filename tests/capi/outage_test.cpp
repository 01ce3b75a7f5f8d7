// A provider that is out for ten minutes of a manual clock, over real connections: 64 callers each second, before and after the token ends.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "tests/capi/emulator.h"
#include "tests/fault/figure.h"
#include "tests/fault/raw_server.h"

namespace capi {
namespace {

using fleetauth::test::json_answer;
using fleetauth::test::print_figure;
using fleetauth::test::RawConnection;
using fleetauth::test::RawServer;
using nlohmann::json;

constexpr int kCallers = 64;
constexpr int kSeconds = 600;
constexpr int kMostRequests = 30;
constexpr int kLifetime = 3600;
constexpr int kLastMargin = 30;  ///< so many seconds before its end a token is not handed out any more
constexpr int kValid = 300;      ///< so many seconds of the outage it still is

enum class Shape { Refused, Unavailable, UnavailableFor, Garbage, Cut, Hanging };

struct Outage {
  Shape shape;
  const char *name;
};

std::string answer_503(const std::string &header) { return "HTTP/1.1 503 Service Unavailable\r\n" + header + "Content-Length: 0\r\n\r\n"; }

/// In manual mode: nothing moves unless the test drives it.
class OutageTest : public ::testing::TestWithParam<Outage> {
 protected:
  void SetUp() override {
    ASSERT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock_.out(), nullptr), FLEETAUTH_OK);
    runtime_ = make_runtime({{"mode", "manual"}}, clock_.get());
    queue_ = make_queue(runtime_.get());
    observer_ = make_queue(runtime_.get());
    ASSERT_EQ(fleetauth_queue_observe(observer_.get(), nullptr), FLEETAUTH_OK);
    client_ = make_client(
        runtime_.get(), "fleetup",
        {{"api_key", "key"}, {"acct_id", "1"}, {"secret", "s"}, {"base_url", server_->origin()}, {"allow_loopback_http", "true"}});
  }

  void begin_outage() {
    is_out_ = true;
    if (GetParam().shape == Shape::Refused) server_.reset();
  }

  void pass(int seconds) { ASSERT_EQ(fleetauth_clock_advance(clock_.get(), 1000 * std::int64_t{seconds}, nullptr), FLEETAUTH_OK); }

  /// What 64 callers get who ask now, and all who asked before: how many tokens, and how many errors.
  void ask(int &tokens, int &errors) {
    for (int caller = 0; caller < kCallers; ++caller) start(client_.get(), queue_.get(), caller);
    settle();
    Event event;
    while (fleetauth_queue_next(queue_.get(), 0, event.out(), nullptr) == FLEETAUTH_OK) {
      Token token;
      ++(fleetauth_event_token(event.get(), token.out(), nullptr) == FLEETAUTH_OK ? tokens : errors);
    }
  }

  /// Drives until nothing can happen before the clock moves.
  void settle() {
    Event event;
    while (fleetauth_queue_next(observer_.get(), awaits_answer() ? 10'000 : 0, event.out(), nullptr) == FLEETAUTH_OK) {
      const std::string what = json::parse(text_of(fleetauth_event_notice, event.get())).at("event");
      if (what == "request") ++requests_;
      if (what == "request" || what == "repeat" || what == "failure" || what == "login") on_its_way_ = what == "request";
    }
    ASSERT_FALSE(awaits_answer());
    while (on_its_way_ && arrived_ < requests_) (void)fleetauth_queue_next(observer_.get(), 1, event.out(), nullptr);
  }
  [[nodiscard]] bool awaits_answer() const { return on_its_way_ && !(is_out_ && GetParam().shape == Shape::Hanging); }

  void serve(RawConnection &connection) {
    while (!connection.read_request().empty()) {
      ++arrived_;
      if (!is_out_) {
        connection.send(json_answer(R"({"token":"tok"})"));
      } else if (GetParam().shape == Shape::Hanging) {
        connection.stall();
      } else if (GetParam().shape == Shape::Garbage) {
        connection.send("garbage\r\n\r\n");
        return;
      } else if (GetParam().shape == Shape::Cut) {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{");
        return;
      } else {
        connection.send(answer_503(GetParam().shape == Shape::UnavailableFor ? "Retry-After: 120\r\n" : ""));
      }
    }
  }

  std::atomic<bool> is_out_{false};
  std::atomic<int> arrived_{0};
  std::unique_ptr<RawServer> server_ = std::make_unique<RawServer>([this](RawConnection &connection) { serve(connection); });
  int requests_ = 0;
  bool on_its_way_ = false;

 private:
  Clock clock_;
  Runtime runtime_;
  Queue queue_;
  Queue observer_;
  Client client_;
};

TEST_P(OutageTest, H15_T20_TenMinutesTakeFewRequestsAndTheValidTokenIsServed) {
  int tokens = 0;
  int errors = 0;
  ask(tokens, errors);
  ASSERT_EQ(tokens, kCallers);
  ASSERT_EQ(requests_, 1);
  pass(kLifetime - kLastMargin - kValid);

  begin_outage();
  tokens = requests_ = arrived_ = 0;
  for (int second = 0; second < kSeconds; ++second) {
    ask(tokens, errors);
    if (second < kValid) {
      ASSERT_EQ(tokens, kCallers * (second + 1));
      ASSERT_EQ(errors, 0);
    }
    pass(1);
  }
  EXPECT_EQ(tokens, kCallers * kValid) << "nor afterwards";
  EXPECT_LE(requests_, kMostRequests);
  EXPECT_GE(requests_, 3) << "that it is over is noticed";
  const std::string outage = std::string("C: 10 minutes of outage, ") + GetParam().name + ": ";
  print_figure(outage + "requests", kMostRequests, requests_);
  print_figure(outage + "calls served while valid", kCallers * kValid, tokens);
  if (server_ == nullptr) return;

  EXPECT_EQ(arrived_, requests_);
  is_out_ = false;
  pass(120 + 12);  // as it asked for, and a tenth
  ask(tokens, errors);
  pass(60 + 12);  // what was on its way when the outage ended may have failed just now
  tokens = 0;
  ask(tokens, errors);
  EXPECT_GE(tokens, kCallers);
}

INSTANTIATE_TEST_SUITE_P(Shapes, OutageTest,
                         ::testing::Values(Outage{Shape::Refused, "Refused"}, Outage{Shape::Unavailable, "Answer503"},
                                           Outage{Shape::UnavailableFor, "Answer503RetryAfter"}, Outage{Shape::Garbage, "Garbage"},
                                           Outage{Shape::Cut, "Cut"}, Outage{Shape::Hanging, "Hanging"}),
                         [](const auto &outage) { return outage.param.name; });

}  // namespace
}  // namespace capi
