// Every function of the C interface with arguments that make no sense: it says so, or does something harmless. The table of
// functions is generated, so a new one is among them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/capi/emulator.h"
#include "tests/capi/functions.gen.h"

namespace capi {
namespace {

/// What still works, or has another answer, when a handle is closed.
const std::set<std::string> kNotClosed = {
    "client_report_rejected", "http_call_add_header", "http_call_append_body", "queue_new", "queue_next",
    "queue_set_wakeup",       "runtime_close",        "runtime_counters",      "slot_copy"};

/// Ordinary numbers where that is not 0.
const std::map<std::string, std::int32_t> kOrdinary = {{"http_status", 200}, {"status", FLEETAUTH_E_CALLBACK}};

/// A handle that a function may be given, and what is special about it.
struct Given {
  std::shared_ptr<const void> owner;
  Word word = 0;
  std::string what = {};
};

/// Handles of every type; of each the ordinary one first.
class Scene {
 public:
  Scene() {
    Clock clock;
    fleetauth_clock_manual_new(1'767'225'600'000, clock.out(), nullptr);
    runtime_ = make_runtime({{"mode", "manual"}}, clock.get());
    queue_ = make_queue(runtime_.get());
    fleetauth_queue_observe(queue_.get(), nullptr);

    use_a_client();
    ask_for_a_code();
    list_accounts();
    ask_for_a_signature();
    close_some();

    Blob counters;
    fleetauth_runtime_counters(runtime_.get(), counters.out(), nullptr);
    Provider provider;
    fleetauth_provider_builtin("fleet_orchestrator", FLEETAUTH_NTS, provider.out(), nullptr);
    keep("blob", std::move(counters));
    keep("provider", std::move(provider));
    keep("options", make_options({{"api_key", "key"}}));
    keep("clock", std::move(clock));
    // Whoever waits for an event finds one.
    start(from_word<fleetauth_client *>(handles("client").front().word), queue_.get(), 1);
    keep("queue", std::move(queue_));
    keep("runtime", std::move(runtime_));
  }

  [[nodiscard]] const std::vector<Given> &handles(const std::string &type) const { return kept_.at(type); }

 private:
  template <class H>
  void keep(const std::string &type, H handle, const std::string &what = "") {
    ASSERT_NE(handle.get(), nullptr) << type << " " << what;
    auto owner = std::make_shared<const H>(std::move(handle));
    const Given given{owner, to_word(owner->get()), what};
    std::vector<Given> &all = kept_[type];
    all.insert(what.empty() ? all.begin() : all.end(), given);
  }

  /// The next event of that kind; those before it are kept.
  Event event(std::int32_t kind) {
    for (;;) {
      Event event;
      if (fleetauth_queue_next(queue_.get(), 0, event.out(), nullptr) != FLEETAUTH_OK) throw std::runtime_error("no event");
      const std::int32_t found = fleetauth_event_kind(event.get());
      if (found == kind) return event;
      keep("event", std::move(event), "of kind " + std::to_string(found));
    }
  }

  HttpCall http_call() {
    Event of = event(FLEETAUTH_EVENT_HTTP_CALL);
    HttpCall call;
    fleetauth_event_http_call(of.get(), call.out(), nullptr);
    keep("event", std::move(of), "whose call is claimed");
    return call;
  }

  void answer(const std::string &body) {
    HttpCall call = http_call();
    fleetauth_http_call_add_header(call.get(), "Content-Type", FLEETAUTH_NTS, "application/json", FLEETAUTH_NTS, nullptr);
    fleetauth_http_call_append_body(call.get(), reinterpret_cast<const std::uint8_t *>(body.data()), body.size(), nullptr);
    fleetauth_http_call_complete(call.get(), 200, nullptr);
    keep("http_call", std::move(call), "closed");
  }

  Op inquire(const Client &client, std::int32_t what) {
    Op op;
    fleetauth_client_inquire(client.get(), nullptr, what, queue_.get(), 1, op.out(), nullptr);
    return op;
  }

  /// A token, an identity, and a request in flight.
  void use_a_client() {
    Client client = make_client(runtime_.get(), "fleet_orchestrator", {{"api_key", "key"}, {"transport", "host"}});
    start(client.get(), queue_.get(), 1, "https://api.moovex.ai/api/v1/devices");
    answer(R"({"accessToken": "token-1", "refreshToken": "refresh-1", "expiresIn": 3600})");
    Event of_token = event(FLEETAUTH_EVENT_TOKEN);
    Token token;
    fleetauth_event_token(of_token.get(), token.out(), nullptr);
    keep("token", std::move(token));
    keep("event", std::move(of_token));

    inquire(client, FLEETAUTH_INQUIRY_IDENTITY);
    answer(R"({"_id": "1", "email": "admin@fleet.example"})");
    Event of_identity = event(FLEETAUTH_EVENT_IDENTITY);
    Identity identity;
    fleetauth_event_identity(of_identity.get(), identity.out(), nullptr);
    keep("identity", std::move(identity));
    keep("event", std::move(of_identity), "of an identity");

    inquire(client, FLEETAUTH_INQUIRY_IDENTITY);
    keep("event", event(FLEETAUTH_EVENT_HTTP_CALL), "whose call nobody claimed");
    keep("op", inquire(client, FLEETAUTH_INQUIRY_IDENTITY));
    keep("http_call", http_call());
    Request request;
    fleetauth_request_new(client.get(), nullptr, request.out(), nullptr);
    keep("request", std::move(request));
    keep("client", std::move(client));
  }

  /// An error with a challenge, and a logout that completed.
  void ask_for_a_code() {
    Client client = make_client(runtime_.get(), "fleet_orchestrator",
                                {{"email", "driver@fleet.example"}, {"password", "password"}, {"transport", "host"}});
    start(client.get(), queue_.get(), 1);
    answer(R"({"requires2FA": true, "tempToken": "temp-1", "sessionId": 7})");
    Event refused = event(FLEETAUTH_EVENT_TOKEN);
    Token none;
    Error error;
    Challenge challenge;
    fleetauth_event_token(refused.get(), none.out(), error.out());
    fleetauth_error_challenge(error.get(), challenge.out(), nullptr);
    keep("error", std::move(error));
    keep("challenge", std::move(challenge));
    keep("event", std::move(refused), "of a failure");
    keep("client", std::move(client), "that has a challenge");
  }

  void list_accounts() {
    Client client = make_client(runtime_.get(), "trimble_maps", {{"api_key", "key"}, {"transport", "host"}});
    inquire(client, FLEETAUTH_INQUIRY_ACCOUNTS);
    answer(R"({"token": "token-2", "expires": "2026-01-01T01:00:00.000Z"})");
    answer(R"({"data": [{"AccountId": 1, "AccountName": "One"}]})");
    Event of_accounts = event(FLEETAUTH_EVENT_ACCOUNTS);
    Accounts accounts;
    fleetauth_event_accounts(of_accounts.get(), accounts.out(), nullptr);
    keep("accounts", std::move(accounts));
    keep("event", std::move(of_accounts), "of accounts");

    Op op;
    fleetauth_client_logout(client.get(), queue_.get(), 1, op.out(), nullptr);
    keep("event", event(FLEETAUTH_EVENT_LOGGED_OUT), "of a logout");
    keep("op", std::move(op), "that completed");
  }

  void ask_for_a_signature() {
    Client client =
        make_client(runtime_.get(), "fleet_engine",
                    {{"signer", "host"}, {"client_email", "test@vectors.iam.gserviceaccount.example"}, {"claim_set", "server"}});
    std::array<SignCall, 2> calls;
    for (SignCall &call : calls) {
      start(client.get(), queue_.get(), 1);
      Event of = event(FLEETAUTH_EVENT_SIGN_CALL);
      fleetauth_event_sign_call(of.get(), call.out(), nullptr);
      keep("event", std::move(of), "of a signature");
      if (&call == calls.begin()) fleetauth_sign_call_fail(call.get(), FLEETAUTH_E_CALLBACK, nullptr, 0, 0, nullptr);
    }
    keep("sign_call", std::move(calls[0]), "closed");
    keep("sign_call", std::move(calls[1]));
    keep("client", std::move(client), "whose signer is the host");
  }

  void close_some() {
    const Texts options = {{"api_key", "key"}, {"transport", "host"}};
    Client client = make_client(runtime_.get(), "fleet_orchestrator", options);
    fleetauth_client_close(client.get());
    keep("client", std::move(client), "closed");
    Queue queue = make_queue(runtime_.get());
    fleetauth_queue_close(queue.get());
    keep("queue", std::move(queue), "closed");
    Runtime runtime = make_runtime({{"mode", "manual"}});
    fleetauth_runtime_close(runtime.get(), 0, nullptr);
    keep("runtime", std::move(runtime), "closed");
  }

  std::map<std::string, std::vector<Given>> kept_;
  Runtime runtime_;
  Queue queue_;
};

/// One way to give a parameter.
struct Choice {
  std::vector<Word> words;
  bool refused = false;  ///< E_INVALID_ARGUMENT names the parameter, and nothing happens
  std::string what = {};
};

/// A function, and for each of its parameters the ways to give it, of which the first makes sense.
class Stage {
 public:
  explicit Stage(const FunctionRow &function) : function_(function) {
    for (const ParamRow &param : function.params) ways_.push_back(ways_of(param));
  }

  [[nodiscard]] const std::vector<std::vector<Choice>> &ways() const { return ways_; }

  /// Calls the function; whether it may have done something.
  bool call(const std::vector<std::size_t> &picked) {
    for (const auto &place : places_) *place = 1;  // whatever was there before
    std::vector<Word> words;
    std::string shown = function_.name;
    const char *refused = nullptr;
    bool closed = false;
    for (std::size_t i = 0; i < picked.size(); ++i) {
      const Choice &choice = ways_[i][picked[i]];
      words.insert(words.end(), choice.words.begin(), choice.words.end());
      shown += " " + std::string(function_.params[i].name) + ":" + std::to_string(picked[i]) + choice.what;
      if (choice.refused && refused == nullptr) refused = function_.params[i].name;
      closed = closed || choice.what == "closed";
    }
    const testing::ScopedTrace trace(__FILE__, __LINE__, shown);
    const Word result = function_.call(words.data());
    if (function_.returns == Returns::Status) {
      look_at_status(static_cast<std::int32_t>(result), picked, refused, closed);
    } else {
      look_at_value(result, picked, refused != nullptr);
    }
    return refused == nullptr && (function_.returns == Returns::Status || function_.returns == Returns::Void);
  }

 private:
  std::vector<Choice> ways_of(const ParamRow &param) {
    constexpr auto kHuge = static_cast<Word>(std::numeric_limits<std::ptrdiff_t>::max()) + 1;
    const Word text = to_word("text");
    const Word data = to_word(data_.data());
    switch (param.kind) {
      case Kind::Handle:
        return handles(param);
      case Kind::Text:
        return {{param.nullable ? std::vector<Word>{0, 0} : std::vector<Word>{text, FLEETAUTH_NTS}},
                {{text, 0}},
                {{text, 5}},  // with its NUL
                {{data, data_.size()}},
                {{0, 3}, !param.nullable},
                {{0, FLEETAUTH_NTS}, !param.nullable},
                {{to_word("\xff"), 1}, true},
                {{to_word("\xed\xa0\x80"), FLEETAUTH_NTS}, true},
                {{text, kHuge}, true},
                {{text, FLEETAUTH_NTS - 1}, true}};
      case Kind::Bytes:
        return {{{data, 32}},
                {{0, 0}},
                {{data, 0}},
                {{data, data_.size()}},
                {{0, 1}, true},
                {{data, kHuge}, true},
                {{data, FLEETAUTH_NTS}, true}};
      case Kind::I32:
        return integers<std::int32_t>(param);
      case Kind::I64:
        return integers<std::int64_t>(param);
      case Kind::Buffer:
        return {{{data, 256, place()}},         {{0, 0, place()}},     {{data, 1, place()}}, {{0, 1, place()}, true},
                {{data, kHuge, place()}, true}, {{data, 256, 0}, true}};
      case Kind::Wakeup:
        return {{{to_word(+[](void *) {}), 0}}, {{0, 0}}};
      case Kind::OutHandle:
      case Kind::OutI32:
      case Kind::OutI64:
        return {{{place()}}, {{0}, true}};
      case Kind::OutLength:
      case Kind::OutError:
        return {{{place()}}, {{0}}};
    }
    return {};
  }

  [[nodiscard]] std::vector<Choice> handles(const ParamRow &param) const {
    std::vector<Choice> choices;
    for (const Given &given : scene_.handles(param.handle)) choices.push_back({{given.word}, false, given.what});
    choices.insert(param.nullable ? choices.begin() : choices.end(), {{0}, !param.nullable});
#ifdef FLEETAUTH_CHECKED
    const std::string other = std::string(param.handle) == "clock" ? "blob" : "clock";
    choices.push_back({{scene_.handles(other).front().word}, true});
#endif
    return choices;
  }

  template <class Number>
  static std::vector<Choice> integers(const ParamRow &param) {
    using Limits = std::numeric_limits<Number>;
    const auto ordinary = kOrdinary.find(param.name);
    std::int32_t sensible = ordinary == kOrdinary.end() ? 0 : ordinary->second;
    if (!param.numbers.empty()) sensible = param.numbers.front();
    std::vector<Choice> choices{{{to_word(sensible)}}};
    for (const Number odd : {Number{-1}, Number{1}, Number{1000}, Limits::min(), Limits::max()}) {
      const bool known = std::find(param.numbers.begin(), param.numbers.end(), odd) != param.numbers.end();
      choices.push_back({{to_word(odd)}, !param.numbers.empty() && !known});
    }
    return choices;
  }

  Word place() {
    places_.push_back(std::make_unique<Word>());
    return to_word(places_.back().get());
  }

  /// What was written for the parameter of that kind; 0 when there was no place for it.
  [[nodiscard]] Word written(Kind kind, const std::vector<std::size_t> &picked) const {
    for (std::size_t i = 0; i < picked.size(); ++i) {
      const Word at = ways_[i][picked[i]].words.front();
      if (function_.params[i].kind == kind && at != 0) return *from_word<const Word *>(at);
    }
    return 0;
  }

  void look_at_status(std::int32_t status, const std::vector<std::size_t> &picked, const char *refused, bool closed) const {
    const Error error(from_word<fleetauth_error *>(written(Kind::OutError, picked)));
    const std::string message = text_of(fleetauth_error_message, error.get());
    if (refused != nullptr) {
      EXPECT_EQ(status, FLEETAUTH_E_INVALID_ARGUMENT);
      const std::string begin = std::string(function_.name) + ": " + refused + " ";
      if (error.get() != nullptr) {
        EXPECT_EQ(message.substr(0, begin.size()), begin);
      }
    } else if (closed && !kNotClosed.contains(function_.name)) {
      EXPECT_EQ(status, FLEETAUTH_E_CLOSED) << message;
    }
    EXPECT_STRNE(fleetauth_status_name(status, nullptr), "E_UNKNOWN") << status;
    EXPECT_NE(status, FLEETAUTH_E_INTERNAL) << message;
    EXPECT_NE(status, FLEETAUTH_E_NOMEM) << message;
    if (error.get() != nullptr) {
      EXPECT_EQ(fleetauth_error_status(error.get()), status);
      EXPECT_NE(message, "");
    }
    const Word made = written(Kind::OutHandle, picked);
    if (status == FLEETAUTH_OK) {
      EXPECT_EQ(error.get(), nullptr);
      release(made);
    } else {
      EXPECT_EQ(made, 0U) << "an out-parameter is NULL after a failure";
    }
  }

  void release(Word made) const {
    for (const ParamRow &param : function_.params) {
      if (param.kind != Kind::OutHandle) continue;
      EXPECT_NE(made, 0U);
      const auto type =
          std::find_if(kHandles.begin(), kHandles.end(), [&](const HandleRow &row) { return row.name == std::string(param.handle); });
      type->unref(&made);
    }
  }

  void look_at_value(Word result, const std::vector<std::size_t> &picked, bool refused) const {
    if (function_.returns == Returns::Void) return;
    if (function_.returns == Returns::I32 || function_.returns == Returns::I64) {
      EXPECT_TRUE(!refused || result == to_word(function_.fallback)) << result;
      return;
    }
    const auto *data = from_word<const char *>(result);
    const Word length = written(Kind::OutLength, picked);
    EXPECT_EQ(text(data, length).size(), length);  // every byte is read
    if (refused) {
      EXPECT_EQ(length, 0U);
      EXPECT_EQ(data == nullptr, function_.returns == Returns::Bytes);
    } else if (beyond(picked)) {
      EXPECT_EQ(data, nullptr);
    }
  }

  /// Whether it was asked for an element that no list has.
  [[nodiscard]] bool beyond(const std::vector<std::size_t> &picked) const {
    for (std::size_t i = 0; i < picked.size(); ++i) {
      if (function_.params[i].name != std::string("index")) continue;
      const auto index = from_word<std::int32_t>(ways_[i][picked[i]].words.front());
      return index < 0 || index >= 1000;
    }
    return false;
  }

  const FunctionRow &function_;
  Scene scene_;
  const std::string data_ = std::string(1 << 20, 'x');
  std::vector<std::unique_ptr<Word>> places_;
  std::vector<std::vector<Choice>> ways_;
};

TEST(Arguments, P18_OneIsOdd) {
  for (const FunctionRow &function : kFunctions) {
    const std::int64_t handles_before = fleetauth_live_handles();
    auto stage = std::make_unique<Stage>(function);
    const std::size_t count = function.params.size();
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t odd = 1; odd < stage->ways()[i].size(); ++odd) {
        std::vector<std::size_t> picked(count);
        picked[i] = odd;
        if (stage->call(picked)) stage = std::make_unique<Stage>(function);
      }
    }
    stage->call(std::vector<std::size_t>(count));
    stage.reset();
    EXPECT_EQ(fleetauth_live_handles(), handles_before) << function.name;
  }
}

TEST(Arguments, P18_AllAreOdd) {
  for (const FunctionRow &function : kFunctions) {
    Stage stage(function);
    std::vector<std::size_t> picked;
    for (const auto &ways : stage.ways()) picked.push_back(ways.size() - 1);
    stage.call(picked);
  }
}

TEST(Arguments, P18_NullIsCounted) {
  for (const HandleRow &handle : kHandles) {
    const Word null = 0;
    EXPECT_EQ(handle.ref(&null), null) << handle.name;
    handle.unref(&null);
  }
}

}  // namespace
}  // namespace capi
