// The vectors on the core's runtime.
#include "tests/conformance/runner/subject.h"

#include <map>
#include <thread>

#include "core/crypto/fingerprint.h"
#include "core/provider/descriptor.h"
#include "core/runtime/client.h"
#include "core/runtime/host_call.h"
#include "core/runtime/operation.h"
#include "core/runtime/queue.h"
#include "tests/conformance/runner/play.h"

namespace conformance {

namespace {

using fleetauth::ErrorPtr;
using fleetauth::Result;
using fleetauth::Status;
namespace provider = fleetauth::provider;
namespace runtime = fleetauth::runtime;

constexpr std::int64_t kThreadPatienceMs = 5000;

[[noreturn]] void broken(const std::string &what, const ErrorPtr &error) { throw Mismatch(what + ": " + error->message); }

template <class T>
T need(Result<T> result, const char *what) {
  if (!result) broken(what, result.error());
  return std::move(*result);
}

runtime::Options options_of(const Options &given) {
  runtime::Options options;
  for (const auto &[name, value] : given) {
    if (const auto *text = std::get_if<std::string>(&value)) options.set(name, *text);
    if (const auto *number = std::get_if<std::int64_t>(&value)) options.set(name, std::to_string(*number));
    if (const auto *flag = std::get_if<bool>(&value)) options.set(name, *flag ? "true" : "false");
  }
  return options;
}

std::optional<std::string_view> view(const std::optional<std::string> &text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

Status status_of(const std::string &name) {
  for (const fleetauth::StatusRow &row : fleetauth::kStatusTable) {
    if (row.name == name) return row.status;
  }
  throw Mismatch("there is no status " + name);
}

Failure failure_of(const ErrorPtr &error) {
  Failure failure;
  failure.status = fleetauth::status_name(error->status);
  failure.message = error->message;
  failure.provider = error->provider;
  failure.provider_code = error->provider_code;
  failure.http_status = error->http_status;
  failure.retryable = error->is_retryable();
  failure.retry_after_ms = error->retry_after_ms;
  failure.in_doubt = error->in_doubt;
  failure.challenge = error->challenge;
  return failure;
}

std::string kind_of(runtime::TokenKind kind) {
  switch (kind) {
    case runtime::TokenKind::Basic:
      return "basic";
    case runtime::TokenKind::Static:
      return "static";
    case runtime::TokenKind::Bearer:
      break;
  }
  return "bearer";
}

Token token_of(const runtime::Answer &answer) {
  Token token;
  token.kind = kind_of(answer.kind);
  token.scheme = answer.scheme;
  token.fingerprint = fleetauth::crypto::fingerprint(answer.secret().view());
  token.from_cache = answer.from_cache;
  token.slot = answer.slot;
  if (answer.token == nullptr) {
    token.secret = answer.local.view();
  } else {
    token.secret = answer.token->secret.view();
    token.generation = answer.token->generation;
    if (answer.token->expires != fleetauth::kNever) {
      token.expires_in_ms = std::max<std::int64_t>(0, answer.token->expires - answer.clock->boot_ms());
      token.expires_at_ms = answer.token->expires_wall;
    }
  }
  for (const auto &header : answer.headers) token.headers.emplace_back(header.name, header.value.view());
  return token;
}

Outcome outcome_of(const Result<runtime::Answer> &answer) {
  if (!answer) return failure_of(answer.error());
  return token_of(*answer);
}

Outcome outcome_of(const runtime::Event &event) {
  if (event.error != nullptr) return failure_of(event.error);
  if (event.kind == runtime::EventKind::LoggedOut) return LoggedOut{};
  if (event.kind == runtime::EventKind::Identity) return Identity{event.identity->fields};
  if (event.kind == runtime::EventKind::Token) {
    return outcome_of(runtime::make_answer(*event.plan, event.token, event.word, event.from_cache));
  }
  Accounts accounts;
  for (const auto &account : *event.accounts) accounts.ids_and_names.emplace_back(account.id, account.name);
  return accounts;
}

Request request_of(const fleetauth::flow::HttpRequest &sent) {
  Request request;
  request.method = sent.method;
  request.url = sent.url.view();
  request.body = sent.body.view();
  request.one_shot = sent.call_class != fleetauth::flow::CallClass::Idempotent;
  for (const auto &header : sent.headers) request.headers.emplace_back(header.name, header.value.view());
  return request;
}

class CoreSubject final : public Subject {
 public:
  explicit CoreSubject(bool threaded) : threaded_(threaded) {}

  [[nodiscard]] std::int64_t patience_ms() const override { return threaded_ ? kThreadPatienceMs : 0; }

  std::optional<Failure> make_client(const ClientSpec &spec) override {
    clock_ = std::make_shared<fleetauth::ManualClock>(spec.wall_ms);
    runtime_ = need(runtime::Runtime::create({.manual = !threaded_, .idle_ms = 10'000}, clock_), "the runtime");
    queue_ = std::make_unique<runtime::Queue>(runtime_, runtime::Queue::Kind::Loop);

    auto descriptor = make_descriptor(spec);
    if (!descriptor) return failure_of(descriptor.error());
    runtime::Options options = options_of(spec.options);
    options.set("transport", "host");
    auto client = runtime::Client::create(runtime_, *descriptor, options);
    if (!client) return failure_of(client.error());
    client_ = std::move(*client);
    if (const auto error = client_->serve(*queue_)) broken("serving the client", error);
    return std::nullopt;
  }

  void close_client() override { client_->close(); }

  Outcome peek(const Call &call) override {
    const auto request = client_->prepare(nullptr_or(call));
    if (!request) return failure_of(request.error());
    return outcome_of(client_->peek(&*request, view(call.method), view(call.url)));
  }

  std::optional<Failure> start(std::int64_t tag, const Call &call) override {
    const auto request = client_->prepare(nullptr_or(call));
    if (!request) return failure_of(request.error());
    return begun(tag, client_->start(&*request, view(call.method), view(call.url), *queue_, tag));
  }

  std::optional<Failure> inquire(std::int64_t tag, bool accounts, const Call &call) override {
    const auto request = client_->prepare(nullptr_or(call));
    if (!request) return failure_of(request.error());
    const auto what = accounts ? runtime::EventKind::Accounts : runtime::EventKind::Identity;
    return begun(tag, client_->inquire(&*request, what, *queue_, tag));
  }

  std::optional<Failure> answer_challenge(std::int64_t tag, const Failure &asked, const std::string &code, bool sealed) override {
    auto challenge = std::static_pointer_cast<const fleetauth::flow::Challenge>(asked.challenge);
    if (sealed) {
      const auto bytes = need(client_->seal(*challenge, kChallengeKey), "sealing the challenge");
      challenge = need(client_->open_challenge(bytes.view(), kChallengeKey), "opening the challenge");
    }
    return begun(tag, client_->answer(std::move(challenge), fleetauth::SecretBytes(code), *queue_, tag));
  }

  std::optional<Failure> log_out(std::int64_t tag) override { return begun(tag, client_->log_out(*queue_, tag)); }

  void cancel(std::int64_t tag) override {
    const auto lock = runtime_->engine().enter();
    operations_.at(tag)->got_error(fleetauth::fail(Status::Cancelled, "the operation was cancelled"));
  }

  std::string report_rejected(const Token &token, std::int32_t http_status, const std::optional<std::string> &date) override {
    const auto advice = need(client_->report_rejected(token.slot, token.generation, http_status, date), "report_rejected");
    return advice == fleetauth::token::Advice::Retry ? "retry" : "stop";
  }

  Event next(std::int64_t timeout_ms) override {
    auto event = queue_->next(timeout_ms);
    if (!event) {
      if (event.error()->status == Status::WouldBlock) return {};
      broken("the queue", event.error());
    }
    switch (event->kind) {
      case runtime::EventKind::Token:
      case runtime::EventKind::Identity:
      case runtime::EventKind::Accounts:
      case runtime::EventKind::LoggedOut:
        return completed(*event);
      case runtime::EventKind::HttpCall:
        return offered(std::static_pointer_cast<runtime::HttpCall>(event->call), event->queue);
      case runtime::EventKind::SignCall:
        return to_sign(std::static_pointer_cast<runtime::SignCall>(event->call), event->queue);
      case runtime::EventKind::HttpCancel:
      case runtime::EventKind::SignCancel:
        return Withdrawn{event->tag};
      default:
        break;
    }
    throw Mismatch("an event which no vector causes");
  }

  void answer(std::int64_t request, const Answer &answer) override {
    runtime::HttpCall &call = *calls_.at(request);
    for (const auto &[name, value] : answer.headers) {
      if (const auto error = call.add_header(name, value)) return give_up(call, error);
    }
    if (const auto error = call.append_body(answer.body)) return give_up(call, error);
    if (const auto error = call.complete(answer.status)) broken("answering", error);
  }

  void fail(std::int64_t request, const std::string &status, const std::string &message) override {
    if (const auto error = calls_.at(request)->fail(status_of(status), message, 0)) broken("failing", error);
  }

  void sign(std::int64_t call, const std::string &signature) override {
    if (const auto error = signings_.at(call)->complete(signature)) broken("signing", error);
  }

  void fail_to_sign(std::int64_t call, const std::string &status, const std::string &message) override {
    if (const auto error = signings_.at(call)->fail(status_of(status), message, 0)) broken("failing", error);
  }

  void advance(std::int64_t ms) override { clock_->advance(ms); }
  void step_wall(std::int64_t ms) override { clock_->step_wall(ms); }

 private:
  static Result<std::shared_ptr<const provider::Descriptor>> make_descriptor(const ClientSpec &spec) {
    if (spec.descriptor.empty()) return provider::builtin(spec.provider);
    auto parsed = provider::parse_descriptor(spec.descriptor, "descriptor");
    if (!parsed) return parsed.error();
    return std::make_shared<const provider::Descriptor>(std::move(*parsed));
  }

  /// What a host does that is told to read no further.
  static void give_up(runtime::HttpCall &call, const ErrorPtr &error) {
    if (const auto refused = call.fail(error->status, "", 0)) broken("failing", refused);
  }

  runtime::Options *nullptr_or(const Call &call) {
    if (call.request.empty()) return nullptr;
    request_options_ = options_of(call.request);
    return &request_options_;
  }

  std::optional<Failure> begun(std::int64_t tag, const Result<std::shared_ptr<runtime::Operation>> &operation) {
    if (!operation) return failure_of(operation.error());
    operations_[tag] = *operation;
    return std::nullopt;
  }

  static Event completed(const runtime::Event &event) { return Completed{event.tag, outcome_of(event)}; }

  Event offered(const std::shared_ptr<runtime::HttpCall> &call, runtime::QueueId queue) {
    if (!call->claim(queue)) return next(0);  // no longer wanted
    const auto id = static_cast<std::int64_t>(call->id());
    calls_[id] = call;
    return Offered{id, request_of(call->request())};
  }

  Event to_sign(const std::shared_ptr<runtime::SignCall> &call, runtime::QueueId queue) {
    if (!call->claim(queue)) return next(0);  // no longer wanted
    const auto id = static_cast<std::int64_t>(call->id());
    signings_[id] = call;
    return ToSign{id, "RS256", call->order().key_id, std::string(call->order().input.view())};
  }

  const bool threaded_;
  std::shared_ptr<fleetauth::ManualClock> clock_;
  std::shared_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<runtime::Queue> queue_;
  std::shared_ptr<runtime::Client> client_;
  runtime::Options request_options_;
  std::map<std::int64_t, std::shared_ptr<runtime::Operation>> operations_;
  std::map<std::int64_t, std::shared_ptr<runtime::HttpCall>> calls_;
  std::map<std::int64_t, std::shared_ptr<runtime::SignCall>> signings_;
};

}  // namespace

std::unique_ptr<Subject> make_subject(bool threaded) { return std::make_unique<CoreSubject>(threaded); }

}  // namespace conformance
