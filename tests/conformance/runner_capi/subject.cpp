// The vectors through the C ABI, with nothing but its header.
#include "tests/conformance/runner/subject.h"

#include <map>

#include "tests/capi/handles.h"
#include "tests/conformance/runner/play.h"

namespace conformance {

namespace {

constexpr std::int64_t kThreadPatienceMs = 5000;

using capi::Client;
using capi::Clock;
using capi::Error;
using capi::HttpCall;
using capi::Op;
using capi::Provider;
using capi::Queue;
using capi::Runtime;
using capi::text;
using capi::text_of;
using Bag = capi::Options;
using Prepared = capi::Request;
using QueueEvent = capi::Event;
using TokenHandle = capi::Token;

template <class T>
Pairs pairs_of(T *handle, std::int32_t count, const char *(*name)(T *, std::int32_t, std::size_t *),
               const char *(*value)(T *, std::int32_t, std::size_t *)) {
  Pairs pairs;
  for (std::int32_t i = 0; i < count; ++i) {
    std::size_t name_len = 0;
    std::size_t value_len = 0;
    const char *name_text = name(handle, i, &name_len);
    const char *value_text = value(handle, i, &value_len);
    pairs.emplace_back(text(name_text, name_len), text(value_text, value_len));
  }
  return pairs;
}

Failure failure_of(std::int32_t status, const Error &error) {
  if (fleetauth_error_status(error.get()) != status) throw Mismatch("the status returned is not the error's");
  Failure failure;
  failure.status = fleetauth_status_name(status, nullptr);
  failure.message = text_of(fleetauth_error_message, error.get());
  failure.provider = text_of(fleetauth_error_provider, error.get());
  failure.provider_code = text_of(fleetauth_error_provider_code, error.get());
  failure.http_status = fleetauth_error_http_status(error.get());
  failure.retryable = fleetauth_error_retryable(error.get()) != 0;
  failure.retry_after_ms = fleetauth_error_retry_after_ms(error.get());
  failure.in_doubt = fleetauth_error_in_doubt(error.get()) != 0;
  const auto challenge = std::make_shared<capi::Challenge>();
  Error none;
  if (fleetauth_error_challenge(error.get(), challenge->out(), none.out()) == FLEETAUTH_OK) failure.challenge = challenge;
  return failure;
}

void need(std::int32_t status, const Error &error, const char *what) {
  if (status != FLEETAUTH_OK) throw Mismatch(std::string(what) + ": " + failure_of(status, error).message);
}

std::int32_t status_of(const std::string &name) {
  for (std::int32_t status = 0; status < 100; ++status) {
    if (fleetauth_status_name(status, nullptr) == name) return status;
  }
  throw Mismatch("there is no status " + name);
}

std::string kind_of(std::int32_t kind) {
  return kind == FLEETAUTH_TOKEN_BASIC ? "basic" : kind == FLEETAUTH_TOKEN_STATIC ? "static" : "bearer";
}

std::optional<std::int64_t> unless_never(std::int64_t ms) { return ms < 0 ? std::nullopt : std::optional(ms); }

Token token_of(fleetauth_token *handle) {
  Token token;
  token.secret = text_of(fleetauth_token_secret, handle);
  token.kind = kind_of(fleetauth_token_kind(handle));
  token.scheme = text_of(fleetauth_token_scheme, handle);
  token.fingerprint = text_of(fleetauth_token_fingerprint, handle);
  token.expires_in_ms = unless_never(fleetauth_token_expires_in_ms(handle));
  token.expires_at_ms = unless_never(fleetauth_token_expires_at_ms(handle));
  token.from_cache = fleetauth_token_from_cache(handle) != 0;
  token.slot = fleetauth_token_slot(handle);
  token.generation = fleetauth_token_generation(handle);
  token.headers = pairs_of(handle, fleetauth_token_header_count(handle), fleetauth_token_header_name, fleetauth_token_header_value);
  return token;
}

Outcome outcome_of(std::int32_t status, const TokenHandle &token, const Error &error) {
  if (status != FLEETAUTH_OK) return failure_of(status, error);
  return token_of(token.get());
}

Identity identity_of(fleetauth_identity *handle) {
  return {pairs_of(handle, fleetauth_identity_count(handle), fleetauth_identity_name, fleetauth_identity_value)};
}

Accounts accounts_of(fleetauth_accounts *handle) {
  return {pairs_of(handle, fleetauth_accounts_count(handle), fleetauth_accounts_id, fleetauth_accounts_name)};
}

Request request_of(fleetauth_http_call *call) {
  Request request;
  request.method = text_of(fleetauth_http_call_method, call);
  request.url = text_of(fleetauth_http_call_url, call);
  request.body = text_of(fleetauth_http_call_body, call);
  request.headers =
      pairs_of(call, fleetauth_http_call_header_count(call), fleetauth_http_call_header_name, fleetauth_http_call_header_value);
  request.one_shot = fleetauth_http_call_one_shot(call) != 0;
  return request;
}

Bag bag_of(const Options &given) {
  Bag bag;
  Error error;
  need(fleetauth_options_new(bag.out(), error.out()), error, "options");
  for (const auto &[name, value] : given) {
    Error refused;
    std::int32_t status = FLEETAUTH_OK;
    if (const auto *string = std::get_if<std::string>(&value)) {
      // Every other one as bytes, which is how secrets are given.
      const auto *bytes = reinterpret_cast<const std::uint8_t *>(string->data());
      status = name.size() % 2 == 0
                   ? fleetauth_options_set_bytes(bag.get(), name.data(), name.size(), bytes, string->size(), refused.out())
                   : fleetauth_options_set_text(bag.get(), name.data(), name.size(), string->data(), string->size(), refused.out());
    } else {
      const std::int64_t number = std::holds_alternative<bool>(value) ? std::get<bool>(value) : std::get<std::int64_t>(value);
      status = fleetauth_options_set_i64(bag.get(), name.data(), name.size(), number, refused.out());
    }
    need(status, refused, "setting an option");
  }
  return bag;
}

const std::uint8_t *bytes_of(std::string_view text) { return reinterpret_cast<const std::uint8_t *>(text.data()); }

/// A text argument that may be absent.
const char *data_of(const std::optional<std::string> &text) { return text ? text->data() : nullptr; }
std::size_t size_of(const std::optional<std::string> &text) { return text ? text->size() : 0; }

class CSubject final : public Subject {
 public:
  explicit CSubject(bool threaded) : threaded_(threaded) {}

  [[nodiscard]] std::int64_t patience_ms() const override { return threaded_ ? kThreadPatienceMs : 0; }

  std::optional<Failure> make_client(const ClientSpec &spec) override {
    Error error;
    need(fleetauth_clock_manual_new(spec.wall_ms, clock_.out(), error.out()), error, "the clock");
    const Bag settings = bag_of({{"mode", std::string(threaded_ ? "threaded" : "manual")}});
    need(fleetauth_runtime_new(settings.get(), clock_.get(), runtime_.out(), error.out()), error, "the runtime");
    need(fleetauth_queue_new(runtime_.get(), FLEETAUTH_QUEUE_LOOP, queue_.out(), error.out()), error, "the queue");

    Provider provider;
    std::int32_t status = spec.descriptor.empty()
                              ? fleetauth_provider_builtin(spec.provider.data(), spec.provider.size(), provider.out(), error.out())
                              : fleetauth_provider_from_json(spec.descriptor.data(), spec.descriptor.size(), "descriptor", FLEETAUTH_NTS,
                                                             provider.out(), error.out());
    if (status != FLEETAUTH_OK) return failure_of(status, error);
    Options options = spec.options;
    options.emplace_back("transport", std::string("host"));
    const Bag bag = bag_of(options);
    status = fleetauth_client_new(runtime_.get(), provider.get(), bag.get(), client_.out(), error.out());
    if (status != FLEETAUTH_OK) return failure_of(status, error);
    need(fleetauth_queue_serve(queue_.get(), client_.get(), error.out()), error, "serving the client");
    return std::nullopt;
  }

  void close_client() override { fleetauth_client_close(client_.get()); }

  Outcome peek(const Call &call) override {
    Prepared request;
    if (auto failure = prepare(call, request)) return *failure;
    Error error;
    TokenHandle token;
    const std::int32_t status = fleetauth_client_peek(client_.get(), request.get(), data_of(call.method), size_of(call.method),
                                                      data_of(call.url), size_of(call.url), token.out(), error.out());
    return outcome_of(status, token, error);
  }

  std::optional<Failure> start(std::int64_t tag, const Call &call) override {
    Prepared request;
    if (auto failure = prepare(call, request)) return failure;
    return begin(tag, [&](Op &op, Error &error) {
      return fleetauth_client_start(client_.get(), request.get(), data_of(call.method), size_of(call.method), data_of(call.url),
                                    size_of(call.url), queue_.get(), tag, op.out(), error.out());
    });
  }

  std::optional<Failure> inquire(std::int64_t tag, bool accounts, const Call &call) override {
    Prepared request;
    if (auto failure = prepare(call, request)) return failure;
    return begin(tag, [&](Op &op, Error &error) {
      return fleetauth_client_inquire(client_.get(), request.get(), accounts ? FLEETAUTH_INQUIRY_ACCOUNTS : FLEETAUTH_INQUIRY_IDENTITY,
                                      queue_.get(), tag, op.out(), error.out());
    });
  }

  std::optional<Failure> answer_challenge(std::int64_t tag, const Failure &asked, const std::string &code, bool sealed) override {
    const auto &challenge = *static_cast<const capi::Challenge *>(asked.challenge.get());
    const capi::Challenge opened = sealed ? seal_and_open(challenge) : capi::Challenge();
    return begin(tag, [&](Op &op, Error &error) {
      return fleetauth_client_answer(client_.get(), (sealed ? opened : challenge).get(), bytes_of(code), code.size(), queue_.get(), tag,
                                     op.out(), error.out());
    });
  }

  std::optional<Failure> log_out(std::int64_t tag) override {
    return begin(tag,
                 [&](Op &op, Error &error) { return fleetauth_client_logout(client_.get(), queue_.get(), tag, op.out(), error.out()); });
  }

  void cancel(std::int64_t tag) override { fleetauth_op_cancel(operations_.at(tag).get()); }

  std::string report_rejected(const Token &token, std::int32_t http_status, const std::optional<std::string> &date) override {
    Error error;
    std::int32_t advice = 0;
    need(fleetauth_client_report_rejected(client_.get(), token.slot, token.generation, http_status, date ? date->data() : nullptr,
                                          date ? date->size() : 0, &advice, error.out()),
         error, "report_rejected");
    return advice == FLEETAUTH_ADVICE_RETRY ? "retry" : advice == FLEETAUTH_ADVICE_STOP ? "stop" : "an unknown advice";
  }

  Event next(std::int64_t timeout_ms) override {
    Error error;
    QueueEvent event;
    const std::int32_t status = fleetauth_queue_next(queue_.get(), timeout_ms, event.out(), error.out());
    if (status == FLEETAUTH_E_WOULD_BLOCK) return {};
    need(status, error, "the queue");
    switch (fleetauth_event_kind(event.get())) {
      case FLEETAUTH_EVENT_TOKEN:
        return completed<TokenHandle>(event.get(), fleetauth_event_token, token_of);
      case FLEETAUTH_EVENT_IDENTITY:
        return completed<capi::Identity>(event.get(), fleetauth_event_identity, identity_of);
      case FLEETAUTH_EVENT_ACCOUNTS:
        return completed<capi::Accounts>(event.get(), fleetauth_event_accounts, accounts_of);
      case FLEETAUTH_EVENT_LOGGED_OUT:
        return logged_out(event.get());
      case FLEETAUTH_EVENT_HTTP_CALL:
        return offered(event.get());
      case FLEETAUTH_EVENT_SIGN_CALL:
        return to_sign(event.get());
      case FLEETAUTH_EVENT_HTTP_CANCEL:
      case FLEETAUTH_EVENT_SIGN_CANCEL:
        return Withdrawn{fleetauth_event_tag(event.get())};
      default:
        throw Mismatch("an event which no vector causes");
    }
  }

  void answer(std::int64_t request, const Answer &answer) override {
    fleetauth_http_call *call = calls_.at(request).get();
    for (const auto &[name, value] : answer.headers) {
      Error error;
      const std::int32_t status = fleetauth_http_call_add_header(call, name.data(), name.size(), value.data(), value.size(), error.out());
      if (status != FLEETAUTH_OK) return give_up(call, status);
    }
    Error error;
    const std::int32_t status =
        fleetauth_http_call_append_body(call, reinterpret_cast<const std::uint8_t *>(answer.body.data()), answer.body.size(), error.out());
    if (status != FLEETAUTH_OK) return give_up(call, status);
    need(fleetauth_http_call_complete(call, answer.status, error.out()), error, "answering");
  }

  void fail(std::int64_t request, const std::string &status, const std::string &message) override {
    Error error;
    need(fleetauth_http_call_fail(calls_.at(request).get(), status_of(status), message.data(), message.size(), 0, error.out()), error,
         "failing");
  }

  void sign(std::int64_t call, const std::string &signature) override {
    Error error;
    need(fleetauth_sign_call_complete(signings_.at(call).get(), bytes_of(signature), signature.size(), error.out()), error, "signing");
  }

  void fail_to_sign(std::int64_t call, const std::string &status, const std::string &message) override {
    Error error;
    need(fleetauth_sign_call_fail(signings_.at(call).get(), status_of(status), message.data(), message.size(), 0, error.out()), error,
         "failing");
  }

  void advance(std::int64_t ms) override {
    Error error;
    need(fleetauth_clock_advance(clock_.get(), ms, error.out()), error, "the clock");
  }

  void step_wall(std::int64_t ms) override {
    Error error;
    need(fleetauth_clock_step_wall(clock_.get(), ms, error.out()), error, "the clock");
  }

 private:
  /// What a host does that is told to read no further.
  static void give_up(fleetauth_http_call *call, std::int32_t status) {
    Error error;
    need(fleetauth_http_call_fail(call, status, nullptr, 0, 0, error.out()), error, "failing");
  }

  std::optional<Failure> prepare(const Call &call, Prepared &request) {
    if (call.request.empty()) return std::nullopt;
    const Bag bag = bag_of(call.request);
    Error error;
    const std::int32_t status = fleetauth_request_new(client_.get(), bag.get(), request.out(), error.out());
    if (status != FLEETAUTH_OK) return failure_of(status, error);
    return std::nullopt;
  }

  /// What the client starts.
  template <class Start>
  std::optional<Failure> begin(std::int64_t tag, Start start) {
    Error error;
    Op op;
    const std::int32_t status = start(op, error);
    if (status != FLEETAUTH_OK) return failure_of(status, error);
    operations_[tag] = std::move(op);
    return std::nullopt;
  }

  [[nodiscard]] capi::Challenge seal_and_open(const capi::Challenge &challenge) const {
    Error error;
    capi::Blob sealed;
    need(fleetauth_client_seal_challenge(client_.get(), challenge.get(), bytes_of(kChallengeKey), kChallengeKey.size(), sealed.out(),
                                         error.out()),
         error, "sealing the challenge");
    const std::string bytes = text_of(fleetauth_blob_bytes, sealed.get());
    capi::Challenge opened;
    need(fleetauth_client_open_challenge(client_.get(), bytes_of(bytes), bytes.size(), bytes_of(kChallengeKey), kChallengeKey.size(),
                                         opened.out(), error.out()),
         error, "opening the challenge");
    return opened;
  }

  template <class H, class Take, class Read>
  static Event completed(fleetauth_event *event, Take take, Read read) {
    Error error;
    H handle;
    const std::int32_t status = take(event, handle.out(), error.out());
    if (status != FLEETAUTH_OK) return Completed{fleetauth_event_tag(event), failure_of(status, error)};
    return Completed{fleetauth_event_tag(event), read(handle.get())};
  }

  static Event logged_out(fleetauth_event *event) {
    Error error;
    const std::int32_t status = fleetauth_event_result(event, error.out());
    if (status != FLEETAUTH_OK) return Completed{fleetauth_event_tag(event), failure_of(status, error)};
    return Completed{fleetauth_event_tag(event), LoggedOut{}};
  }

  Event offered(fleetauth_event *event) {
    Error error;
    HttpCall call;
    const std::int32_t status = fleetauth_event_http_call(event, call.out(), error.out());
    if (status == FLEETAUTH_E_CLOSED) return next(0);  // no longer wanted
    need(status, error, "claiming a request");
    const std::int64_t id = fleetauth_http_call_id(call.get());
    Offered offered{id, request_of(call.get())};
    calls_[id] = std::move(call);
    return offered;
  }

  Event to_sign(fleetauth_event *event) {
    Error error;
    capi::SignCall call;
    const std::int32_t status = fleetauth_event_sign_call(event, call.out(), error.out());
    if (status == FLEETAUTH_E_CLOSED) return next(0);  // no longer wanted
    need(status, error, "claiming what is to be signed");
    ToSign to_sign{fleetauth_sign_call_id(call.get()), text_of(fleetauth_sign_call_algorithm, call.get()),
                   text_of(fleetauth_sign_call_key_id, call.get()), text_of(fleetauth_sign_call_data, call.get())};
    signings_[to_sign.id] = std::move(call);
    return to_sign;
  }

  const bool threaded_;
  Clock clock_;
  Runtime runtime_;
  Queue queue_;
  Client client_;
  std::map<std::int64_t, Op> operations_;
  std::map<std::int64_t, HttpCall> calls_;
  std::map<std::int64_t, capi::SignCall> signings_;
};

}  // namespace

std::unique_ptr<Subject> make_subject(bool threaded) { return std::make_unique<CSubject>(threaded); }

}  // namespace conformance
