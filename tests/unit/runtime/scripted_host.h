#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/provider/descriptor.h"
#include "core/runtime/client.h"
#include "core/runtime/host_call.h"
#include "core/runtime/operation.h"

/// A runtime on a manual clock whose requests the test answers itself, as a host with a transport of its own does.
namespace fleetauth::runtime::testing {

inline constexpr WallMs kStart = 1'750'000'000'000;

/// What an operation came to.
struct Outcome {
  Status status = Status::Ok;
  ErrorPtr error;
  std::optional<Answer> answer;

  [[nodiscard]] std::string secret() const { return answer && answer->token != nullptr ? std::string(answer->token->secret.view()) : ""; }
};

inline constexpr std::string_view kDescriptor = R"({
  "descriptor": 1, "name": "acme", "title": "Acme",
  "parameters": {
    "user": {"type": "text", "required": true, "doc": "The user."},
    "password": {"type": "text", "required": true, "secret": true, "doc": "The password."}
  },
  "origins": {"api": "https://api.acme.test"},
  "steps": {"token": {
    "class": "idempotent", "method": "POST", "origin": "api", "path": "/token",
    "body": {"form": {"user": {"$param": "user"}, "password": {"$param": "password"}}},
    "token": ["/token"], "expiry": [{"seconds": "/expires_in"}]
  }},
  "credentials": {"session": {"flow": "exchange", "step": "token"}, "pair": {"flow": "basic"}},
  "schemes": {
    "bearer": {"credential": "session", "headers": {"Authorization": ["Bearer ", {"$token": true}]}},
    "basic": {"credential": "pair", "headers": {"Authorization": ["Basic ", {"$basic": [{"$param": "user"}, {"$param": "password"}]}]}}
  },
  "apis": {
    "api": {"origin": "api", "path": "/", "schemes": ["bearer"]},
    "core": {"origin": "api", "path": "/core/", "schemes": ["basic", "bearer"]}
  }
})";

class ScriptedHost : public ::testing::Test {
 protected:
  void SetUp() override { use(RuntimeSettings{false, 10'000}); }

  void use(RuntimeSettings settings) {
    clock = std::make_shared<ManualClock>(kStart);
    auto made = Runtime::create(settings, clock);
    ASSERT_TRUE(made) << made.error()->message;
    runtime = *made;
    queue = std::make_shared<Queue>(runtime, Queue::Kind::Loop);
    client = make_client();
  }

  std::shared_ptr<Client> make_client(const std::vector<std::pair<std::string, std::string>> &extra = {}) {
    auto descriptor = provider::parse_descriptor(kDescriptor, "acme.json");
    if (!descriptor) {
      ADD_FAILURE() << descriptor.error()->message;
      return nullptr;
    }
    Options options;
    options.set("user", "jo");
    options.set("password", "pa55word");
    options.set("transport", "host");
    for (const auto &[name, value] : extra) options.set(name, value);
    auto made = Client::create(runtime, std::make_shared<const provider::Descriptor>(std::move(*descriptor)), options);
    if (!made) {
      ADD_FAILURE() << made.error()->message;
      return nullptr;
    }
    return *made;
  }

  std::shared_ptr<Operation> start(std::int64_t tag = 1, const Request *request = nullptr, const std::shared_ptr<Queue> &on = nullptr) {
    auto started = client->start(request, std::nullopt, std::nullopt, on != nullptr ? *on : *queue, tag);
    if (!started) {
      ADD_FAILURE() << started.error()->message;
      return nullptr;
    }
    return *started;
  }

  /// The next event, which must be there at once.
  std::optional<Event> event(const std::shared_ptr<Queue> &from = nullptr) {
    auto next = (from != nullptr ? from : queue)->next(0);
    if (!next) return std::nullopt;
    return std::move(*next);
  }

  /// The request that is offered on the queue, taken.
  std::shared_ptr<HttpCall> call(const std::shared_ptr<Queue> &from = nullptr) {
    auto offered = event(from);
    if (!offered || offered->kind != EventKind::HttpCall || !offered->call->claim(offered->queue)) return nullptr;
    return std::static_pointer_cast<HttpCall>(offered->call);
  }

  static void answer(const std::shared_ptr<HttpCall> &call, std::int32_t status, std::string_view body,
                     const std::vector<std::pair<std::string, std::string>> &headers = {}) {
    ASSERT_NE(call, nullptr) << "no request was offered";
    EXPECT_EQ(call->add_header("Content-Type", "application/json"), nullptr);
    for (const auto &[name, value] : headers) EXPECT_EQ(call->add_header(name, value), nullptr);
    EXPECT_EQ(call->append_body(body), nullptr);
    EXPECT_EQ(call->complete(status), nullptr);
  }

  /// The outcome of the operation that completed next.
  Outcome outcome(const std::shared_ptr<Queue> &from = nullptr) {
    const auto done = event(from);
    if (done && done->kind == EventKind::Token) return outcome_of(*done);
    ADD_FAILURE() << "no operation has completed";
    return {Status::Internal, nullptr, std::nullopt};
  }

  static Outcome outcome_of(const Event &done) {
    if (done.error != nullptr) return {done.error->status, done.error, std::nullopt};
    auto made = make_answer(*done.plan, done.token, done.word, done.from_cache);
    EXPECT_TRUE(made);
    return {Status::Ok, nullptr, std::move(*made)};
  }

  /// Starts an operation, answers its request with a token and takes the outcome.
  Outcome fetch(std::string_view token, std::int64_t expires_in) {
    start();
    answer(call(), 200, R"({"token":")" + std::string(token) + R"(","expires_in":)" + std::to_string(expires_in) + "}");
    return outcome();
  }

  [[nodiscard]] std::string peek() const {
    auto peeked = client->peek(nullptr, std::nullopt, std::nullopt);
    return peeked ? std::string(peeked->token->secret.view()) : std::string(status_name(peeked.error()->status));
  }

  std::shared_ptr<ManualClock> clock;
  std::shared_ptr<Runtime> runtime;
  std::shared_ptr<Queue> queue;
  std::shared_ptr<Client> client;
};

}  // namespace fleetauth::runtime::testing
