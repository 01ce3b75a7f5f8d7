#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/net/driver.h"
#include "tests/fault/raw_server.h"

namespace fleetauth::net {

/// A driver that is driven by the test itself.
class DriverTest : public testing::Test {
 protected:
  static constexpr std::int64_t kPatienceMs = 20'000;

  void SetUp() override {
    auto made = Driver::create();
    ASSERT_TRUE(made) << made.error()->message;
    driver = std::move(*made);
  }

  /// Settings that trust `ca`, or allow http to this machine when there is none.
  static std::shared_ptr<NetOptions> settings(const std::string &ca_pem = "") {
    auto options = std::make_shared<NetOptions>();
    options->ca_pem = ca_pem;
    options->connect_timeout_ms = options->attempt_timeout_ms = kPatienceMs;
    options->user_agent = "fleetauth-test";
    options->allow_loopback_http = ca_pem.empty();
    return options;
  }

  static flow::HttpRequest get(const std::string &origin, const std::string &target = "/") {
    flow::HttpRequest request;
    request.method = "GET";
    request.origin = origin;
    request.url = SecretBytes(origin + target);
    request.step = "token";
    request.call_class = flow::CallClass::Idempotent;
    return request;
  }

  static flow::HttpRequest post(const std::string &origin, const std::string &body, flow::CallClass call_class = flow::CallClass::OneShot) {
    flow::HttpRequest request = get(origin, "/login");
    request.method = "POST";
    request.body = SecretBytes(body);
    request.call_class = call_class;
    request.headers.push_back({"Content-Type", SecretBytes("application/json")});
    return request;
  }

  /// Drives until the request has ended; fails the test after twenty seconds.
  Outcome fetch(const flow::HttpRequest &request, std::shared_ptr<const NetOptions> options) {
    std::optional<Outcome> outcome;
    driver->start(1, request, std::move(options), [&outcome](Outcome got) { outcome = std::move(got); });
    drive_until([&] { return outcome.has_value(); });
    if (!outcome) return flow::HttpFailure{fail(Status::Internal, "the test's time is over"), flow::Sent::Maybe};
    return std::move(*outcome);
  }

  template <class Condition>
  void drive_until(Condition met) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
    while (!met() && std::chrono::steady_clock::now() < end) driver->run_once(100);
    EXPECT_TRUE(met());
  }

  static const flow::HttpResponse &response_of(const Outcome &outcome) {
    static const flow::HttpResponse none;
    const auto *failure = std::get_if<flow::HttpFailure>(&outcome);
    EXPECT_EQ(failure, nullptr) << failure->error->message;
    return failure == nullptr ? std::get<flow::HttpResponse>(outcome) : none;
  }

  static void expect_failure(const Outcome &outcome, Status status, flow::Sent sent, const std::string &message = "") {
    const auto *failure = std::get_if<flow::HttpFailure>(&outcome);
    ASSERT_NE(failure, nullptr) << "there was an answer";
    EXPECT_EQ(failure->error->status, status) << failure->error->message;
    EXPECT_EQ(failure->sent, sent) << failure->error->message;
    EXPECT_THAT(failure->error->message, testing::HasSubstr(message));
  }

  std::unique_ptr<Driver> driver;
};

}  // namespace fleetauth::net
