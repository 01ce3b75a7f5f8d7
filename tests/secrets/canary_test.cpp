// What a program gets to print, of clients of every provider, whatever the provider answers: errors, notices, challenges, identities.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/capi/emulator.h"

namespace secrets {
namespace {

using nlohmann::json;

const json &shared() {
  static const json document = json::parse(std::ifstream(CANARIES));
  return document;
}

/// The names of the canaries that a text shows in any form.
std::set<std::string> shown_by(const std::string &text) {
  std::set<std::string> shown;
  for (const auto &[name, canary] : shared()["canaries"].items()) {
    for (const std::string form : canary["forms"]) {
      if (text.find(form) != std::string::npos) shown.insert(name);
    }
  }
  return shown;
}

void expect_silent(const std::string &text, const std::string &where) {
  EXPECT_EQ(shown_by(text), std::set<std::string>{}) << where << " says: " << text;
}

void expect_silent(fleetauth_error *error) {
  expect_silent(capi::text_of(fleetauth_error_message, error), "the message");
  expect_silent(capi::text_of(fleetauth_error_provider, error), "the provider");
  expect_silent(capi::text_of(fleetauth_error_account, error), "the account");
  expect_silent(capi::text_of(fleetauth_error_provider_code, error), "the provider's word");
}

capi::Options options_of(const json &given) {
  capi::Options bag;
  capi::Error error;
  EXPECT_EQ(fleetauth_options_new(bag.out(), error.out()), FLEETAUTH_OK);
  for (const auto &[name, value] : given.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    EXPECT_EQ(fleetauth_options_set_text(bag.get(), name.data(), name.size(), text.data(), text.size(), error.out()), FLEETAUTH_OK);
  }
  return bag;
}

/// A client of one provider, and a host that answers for the provider as a scenario says.
class Play {
 public:
  Play(const json &spec, const json &scenario) : spec_(spec), scenario_(scenario) {
    EXPECT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock_.out(), nullptr), FLEETAUTH_OK);
    runtime_ = capi::make_runtime({{"mode", "manual"}}, clock_.get());
    queue_ = capi::make_queue(runtime_.get());
    EXPECT_EQ(fleetauth_queue_observe(queue_.get(), nullptr), FLEETAUTH_OK);
    json options = spec["options"];
    options["transport"] = "host";
    capi::Provider provider;
    EXPECT_EQ(fleetauth_provider_builtin(std::string(spec["provider"]).c_str(), FLEETAUTH_NTS, provider.out(), nullptr), FLEETAUTH_OK);
    EXPECT_EQ(fleetauth_client_new(runtime_.get(), provider.get(), options_of(options).get(), client_.out(), nullptr), FLEETAUTH_OK);
    if (!spec["request"].empty()) {
      EXPECT_EQ(fleetauth_request_new(client_.get(), options_of(spec["request"]).get(), request_.out(), nullptr), FLEETAUTH_OK);
    }
    EXPECT_EQ(fleetauth_queue_serve(queue_.get(), client_.get(), nullptr), FLEETAUTH_OK);
  }

  void run() {
    ask_for_token("first");
    first_failed = token_.get() == nullptr;
    capi::Challenge challenge;
    if (fleetauth_error_challenge(error_.get(), challenge.out(), nullptr) == FLEETAUTH_OK) answer(challenge);
    inquire(FLEETAUTH_INQUIRY_IDENTITY);
    inquire(FLEETAUTH_INQUIRY_ACCOUNTS);
    if (token_.get() != nullptr) {
      std::int32_t advice = 0;
      EXPECT_EQ(fleetauth_client_report_rejected(client_.get(), fleetauth_token_slot(token_.get()),
                                                 fleetauth_token_generation(token_.get()), 401, nullptr, 0, &advice, nullptr),
                FLEETAUTH_OK);
    }
    ask_for_token("renewal");
    wait_for("logout", [&] { return fleetauth_client_logout(client_.get(), queue_.get(), 1, op_.out(), error_.out()); });
    capi::Blob counters;
    EXPECT_EQ(fleetauth_runtime_counters(runtime_.get(), counters.out(), nullptr), FLEETAUTH_OK);
    expect_silent(capi::text_of(fleetauth_blob_bytes, counters.get()), "the counters");
    fleetauth_client_close(client_.get());
    ask_for_token("first");
    EXPECT_GT(notices, 0U);
  }

  bool first_failed = false;
  std::size_t notices = 0;

 private:
  void ask_for_token(const char *phase) {
    const std::string url = spec_["url"];
    wait_for(phase, [&] {
      return fleetauth_client_start(client_.get(), request_.get(), nullptr, 0, url.data(), url.size(), queue_.get(), 1, op_.out(),
                                    error_.out());
    });
  }

  void answer(const capi::Challenge &challenge) {
    expect_silent(capi::text_of(fleetauth_challenge_account, challenge.get()), "the challenge's account");
    const std::string key(32, 'k');
    capi::Blob sealed;
    EXPECT_EQ(fleetauth_client_seal_challenge(client_.get(), challenge.get(), reinterpret_cast<const std::uint8_t *>(key.data()),
                                              key.size(), sealed.out(), nullptr),
              FLEETAUTH_OK);
    expect_silent(capi::text_of(fleetauth_blob_bytes, sealed.get()), "the sealed challenge");
    const std::string code = shared()["canaries"]["code"]["value"];
    wait_for("code", [&] {
      return fleetauth_client_answer(client_.get(), challenge.get(), reinterpret_cast<const std::uint8_t *>(code.data()), code.size(),
                                     queue_.get(), 1, op_.out(), error_.out());
    });
  }

  void inquire(std::int32_t what) {
    wait_for("inquiry", [&] { return fleetauth_client_inquire(client_.get(), nullptr, what, queue_.get(), 1, op_.out(), error_.out()); });
  }

  /// Starts an operation and plays the host until it is complete.
  template <class Start>
  void wait_for(const char *phase, Start start) {
    phase_ = phase;
    completed_ = start() != FLEETAUTH_OK;
    while (!completed_) {
      capi::Event event;
      if (fleetauth_queue_next(queue_.get(), 0, event.out(), nullptr) == FLEETAUTH_OK) {
        handle(event.get());
      } else {  // it waits for its turn, for another attempt, or for an answer that never comes
        EXPECT_EQ(fleetauth_clock_advance(clock_.get(), 1'000, nullptr), FLEETAUTH_OK);
      }
    }
    expect_silent(error_.get());
  }

  void handle(fleetauth_event *event) {
    completed_ = true;
    switch (fleetauth_event_kind(event)) {
      case FLEETAUTH_EVENT_TOKEN:
        if (fleetauth_event_token(event, token_.out(), error_.out()) == FLEETAUTH_OK) {
          expect_silent(capi::text_of(fleetauth_token_fingerprint, token_.get()), "the fingerprint");
        }
        break;
      case FLEETAUTH_EVENT_IDENTITY:
        take_identity(event);
        break;
      case FLEETAUTH_EVENT_ACCOUNTS: {
        capi::Accounts accounts;
        fleetauth_event_accounts(event, accounts.out(), error_.out());
        break;
      }
      case FLEETAUTH_EVENT_LOGGED_OUT:
        fleetauth_event_result(event, error_.out());
        break;
      default:
        completed_ = false;
        if (fleetauth_event_kind(event) == FLEETAUTH_EVENT_HTTP_CALL) send(event);
        expect_silent(capi::text_of(fleetauth_event_notice, event), "the notice");
        notices += fleetauth_event_kind(event) == FLEETAUTH_EVENT_NOTICE ? 1 : 0;
    }
  }

  void take_identity(fleetauth_event *event) {
    capi::Identity identity;
    fleetauth_event_identity(event, identity.out(), error_.out());
    for (std::int32_t i = 0; i < fleetauth_identity_count(identity.get()); ++i) {
      expect_silent(fleetauth_identity_value(identity.get(), i, nullptr), "the identity");
    }
  }

  void send(fleetauth_event *event) {
    capi::HttpCall call;
    ASSERT_EQ(fleetauth_event_http_call(event, call.out(), nullptr), FLEETAUTH_OK);
    const std::string name = scenario_.value(phase_, "good");
    if (name == "silence") {
      silent_.push_back(std::move(call));
      return;
    }
    const json &answer = name == "good" ? spec_["good"] : shared()["answers"][name];
    for (const auto &header : answer["headers"]) {
      const std::string value = header[1];
      fleetauth_http_call_add_header(call.get(), std::string(header[0]).c_str(), FLEETAUTH_NTS, value.data(), value.size(), nullptr);
    }
    const std::string body = answer["body"];
    fleetauth_http_call_append_body(call.get(), reinterpret_cast<const std::uint8_t *>(body.data()), body.size(), nullptr);
    fleetauth_http_call_complete(call.get(), answer["status"], nullptr);
  }

  const json &spec_;
  const json &scenario_;
  std::string phase_;
  bool completed_ = false;
  capi::Clock clock_;
  capi::Runtime runtime_;
  capi::Queue queue_;
  capi::Client client_;
  capi::Request request_;
  capi::Op op_;
  capi::Token token_;
  capi::Error error_;
  std::vector<capi::HttpCall> silent_;
};

TEST(CanaryControl, L03_EverySecretWouldBeSeenInEveryForm) {
  ASSERT_FALSE(shared()["canaries"].empty());
  for (const auto &[name, canary] : shared()["canaries"].items()) {
    EXPECT_TRUE(shown_by("before " + canary["value"].get<std::string>() + " after").contains(name));
    ASSERT_FALSE(canary["forms"].empty()) << name;
    for (const std::string form : canary["forms"]) EXPECT_TRUE(shown_by("before " + form + " after").contains(name)) << form;
  }
  EXPECT_TRUE(shown_by("nothing of the kind").empty());
}

class Canary : public testing::TestWithParam<std::size_t> {
 protected:
  const json &spec = shared()["clients"][GetParam()];
};

TEST_P(Canary, L03_NothingShowsASecretWhateverHappens) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  for (const json &scenario : shared()["scenarios"]) {
    const json &secrets = spec["secrets"];
    if (scenario.contains("sent") && std::find(secrets.begin(), secrets.end(), scenario["sent"]) == secrets.end()) continue;
    SCOPED_TRACE(scenario.dump());
    Play play(spec, scenario);
    play.run();
    EXPECT_FALSE(play.first_failed && scenario["first"] == "good");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST_P(Canary, L03_NoRefusalOfOptionsShowsASecret) {
  const capi::Runtime runtime = capi::make_runtime({{"mode", "manual"}});
  capi::Provider provider;
  ASSERT_EQ(fleetauth_provider_builtin(std::string(spec["provider"]).c_str(), FLEETAUTH_NTS, provider.out(), nullptr), FLEETAUTH_OK);
  std::size_t refused = 0;
  for (const json &mistake : spec["mistakes"]) {
    json options = spec["options"];
    options.update(mistake);
    capi::Client client;
    capi::Error error;
    refused +=
        fleetauth_client_new(runtime.get(), provider.get(), options_of(options).get(), client.out(), error.out()) == FLEETAUTH_OK ? 0 : 1;
    expect_silent(error.get());
  }
  EXPECT_GT(refused, spec["mistakes"].size() / 2);
}

INSTANTIATE_TEST_SUITE_P(Client, Canary, testing::Range(std::size_t{0}, shared()["clients"].size()), [](const auto &client) {
  return std::string(shared()["clients"][client.param]["provider"]) + "_" + std::to_string(client.param);
});

}  // namespace
}  // namespace secrets
