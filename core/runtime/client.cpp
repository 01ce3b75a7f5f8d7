#include "core/runtime/client.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/http_date.h"
#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/flow/authorise.h"
#include "core/flow/sealed_challenge.h"
#include "core/net/url.h"
#include "core/provider/errors.h"
#include "core/runtime/common_errors.h"
#include "core/runtime/errand.h"
#include "core/runtime/operation.h"
#include "core/token/read_lock.h"

namespace fleetauth::runtime {

namespace {

constexpr std::size_t kLongestMethod = 32;

std::uint64_t owner_of(const Setup &setup) {
  std::uint64_t owner = 0;
  std::memcpy(&owner, setup.digest.data(), std::min(sizeof owner, setup.digest.size()));
  return owner;
}

TokenKind kind_of(provider::FlowKind flow) {
  switch (flow) {
    case provider::FlowKind::Basic:
      return TokenKind::Basic;
    case provider::FlowKind::StaticHeader:
      return TokenKind::Static;
    case provider::FlowKind::Exchange:
    case provider::FlowKind::SignedJwt:
      break;
  }
  return TokenKind::Bearer;
}

ErrorPtr unsupported(const provider::Descriptor &descriptor, const std::string &what) {
  return provider::refusal(descriptor, Status::Unsupported, what);
}

/// Who asks for a token that is for claims has to name them.
ErrorPtr check_claims(const Plan &plan) {
  if (plan.source == nullptr || !plan.source->takes_claims() || plan.source->subject().claims != nullptr) return nullptr;
  return provider::refusal(*plan.live->setup->config.descriptor, Status::Config,
                           "a token is for claims; name them with the request options \"claim_set\" and \"claims\"");
}

/// The place of the URL at the provider. Plain URLs of its origins are taken apart here, all others by libcurl's parser, whose
/// result is kept in `parsed`.
Result<provider::Target> take_apart(std::string_view url, const Setup &setup, net::Url &parsed) {
  provider::Target target;
  for (const net::Url &origin : setup.origins) {
    if (net::split_plain(url, origin.origin, target.path)) {
      target.origin = origin.origin;
      return target;
    }
  }
  auto taken = net::parse_url(url, setup.url_policy);
  if (!taken) return taken.error();
  parsed = std::move(*taken);
  return provider::Target{parsed.origin, parsed.path};
}

/// The sources' users while a client is made; they leave again if that fails.
struct Users {
  Live &live;
  bool kept = false;

  ~Users() {
    if (kept) return;
    for (const auto &source : live.sources) {
      if (source != nullptr) source->remove_user();
    }
  }
};

}  // namespace

Result<Answer> make_answer(const Plan &plan, std::shared_ptr<const token::Token> token, std::int32_t word, bool from_cache) {
  const provider::ClientConfig &config = plan.live->setup->config;
  Answer answer;
  answer.kind = kind_of(plan.credential->kind);
  answer.scheme = plan.scheme->name;
  answer.from_cache = from_cache;
  answer.clock = plan.clock;
  if (token == nullptr) {
    auto local = flow::local_secret(config, *plan.scheme);
    if (!local) return local.error();
    answer.local = std::move(*local);
  } else {
    answer.slot = plan.source->slot().number();
    answer.word = word;
  }
  if (plan.wants_headers) {
    auto headers = flow::authorise(config, *plan.scheme, token == nullptr ? std::string_view() : token->secret.view());
    if (!headers) return headers.error();
    answer.headers = std::move(*headers);
  }
  answer.token = std::move(token);
  return answer;
}

Result<std::shared_ptr<Client>> Client::create(const std::shared_ptr<Runtime> &runtime,
                                               const std::shared_ptr<const provider::Descriptor> &descriptor, const Options &options) {
  auto setup = read_client_options(descriptor, options);
  if (!setup) return setup.error();
  auto live = std::make_shared<Live>();
  live->setup = *setup;

  Engine &engine = runtime->engine();
  const auto lock = engine.enter();
  if (engine.closed()) return common_errors().runtime_closed;
  live->sources.reserve(live->setup->config.descriptor->credentials.size());
  Users users{*live};
  for (const provider::Credential &credential : live->setup->config.descriptor->credentials) {
    if (!provider::has_token(credential.kind)) {
      live->sources.push_back(nullptr);
      continue;
    }
    auto usual = live->setup->config.usual_subject(credential);
    if (!usual) return usual.error();
    const std::string key = live->setup->digest + credential.name;
    auto source = engine.sources(key, [&] {
      auto kind = std::make_shared<SourceKind>();
      kind->engine = engine.shared_from_this();
      kind->setup = live->setup;
      kind->credential = &credential;
      kind->key = key;
      kind->login = live->setup->login_digest + credential.name;
      kind->takes_account = live->setup->config.descriptor->takes_account(credential);
      kind->takes_claims = live->setup->config.descriptor->takes_claims(credential);
      kind->owner = owner_of(*live->setup);
      return std::make_shared<SourceSet>(std::move(kind), std::move(*usual));
    });
    source->add_user();
    live->sources.push_back(std::move(source));
  }
  auto client = std::make_shared<Client>(runtime, live);
  users.kept = true;
  return client;
}

Client::Client(std::shared_ptr<Runtime> runtime, std::shared_ptr<const Live> live)
    : runtime_(std::move(runtime)), live_(std::move(live)), owner_(owner_of(*live_->setup)) {}

Client::~Client() {
  try {
    close();
  } catch (...) {  // NOLINT(bugprone-empty-catch): in a fork's child without memory; its tokens end with the runtime
  }
}

std::shared_ptr<const Live> Client::live() const {
  const token::ReadGuard guard;
  return live_;
}

Result<Request> Client::prepare(const Options *options) const {
  const auto live = this->live();
  if (live == nullptr) return common_errors().client_closed;
  auto settings = read_request_options(options);
  if (!settings) return settings.error();
  const provider::Descriptor &descriptor = *live->setup->config.descriptor;
  if (settings->api && descriptor.api(*settings->api) == nullptr) {
    std::string known;
    for (const provider::Api &api : descriptor.apis) known += (known.empty() ? "" : ", ") + api.name;
    return fail(Status::Config, descriptor.name + " has no API group '" + redact::printable(*settings->api) + "'; it has " + known);
  }
  auto claims = provider::read_claims(descriptor.claims, settings->claim_set, settings->claims);
  if (!claims) return provider::of_provider(descriptor, *claims.error());
  return Request{{}, std::move(*claims), std::move(*settings)};
}

Result<Plan> Client::plan(const Request *request, std::optional<std::string_view> method, std::optional<std::string_view> url) const {
  Plan plan;
  plan.live = live();
  if (plan.live == nullptr) return common_errors().client_closed;
  const Setup &setup = *plan.live->setup;
  if (method && (method->size() > kLongestMethod || !redact::is_header_name(*method))) {
    return fail(Status::InvalidArgument, "the method must be one of HTTP, such as GET or POST");
  }

  net::Url parsed;
  std::optional<provider::Target> target;
  if (url) {
    auto taken = take_apart(*url, setup, parsed);
    if (!taken) return taken.error();
    target = *taken;
  }
  std::optional<std::string_view> api;
  if (request != nullptr && request->settings.api) api = *request->settings.api;
  const auto authorisation = provider::resolve(setup.config, setup.scheme, api, target, method.value_or("GET"));
  if (!authorisation) return authorisation.error();

  plan.client = this;
  plan.scheme = authorisation->scheme;
  plan.credential = authorisation->credential;
  if (auto error = find_source(plan, request)) return error;
  plan.wants_headers = url.has_value();
  plan.clock = runtime_->engine().clock();
  plan.timeout_ms = setup.total_timeout_ms;
  if (request != nullptr) {
    plan.min_remaining_ms = request->settings.min_remaining_ms;
    plan.timeout_ms = request->settings.timeout_ms.value_or(plan.timeout_ms);
  }
  return plan;
}

ErrorPtr Client::find_source(Plan &plan, const Request *request) const {
  const provider::Descriptor &descriptor = *plan.live->setup->config.descriptor;
  const auto &sources = plan.live->sources_of(*plan.credential);
  if (sources != nullptr) plan.source = sources->base();
  const bool names_account = request != nullptr && request->settings.account;
  const bool names_claims = request != nullptr && request->claims != nullptr;
  const auto not_one_per = [&](const std::string &what) {
    return unsupported(descriptor, "the credential \"" + plan.credential->name + "\" is not one per " + what);
  };
  if (names_account && (sources == nullptr || !sources->kind().takes_account)) {
    return not_one_per("account; leave the request option \"account\" out");
  }
  if (names_claims && (sources == nullptr || !sources->kind().takes_claims)) {
    return not_one_per("set of claims; leave the request options \"claim_set\" and \"claims\" out");
  }
  if (names_account || names_claims) {
    const auto lock = runtime_->engine().enter();
    plan.source = request->source.lock();
    if (plan.source == nullptr || !sources->recall(*plan.source)) {
      provider::Subject subject = sources->base()->subject();
      if (names_account) subject.account = *request->settings.account;
      if (names_claims) subject.claims = request->claims;
      plan.source = sources->of(subject);
      request->source = plan.source;
    }
  }
  return nullptr;
}

Result<Answer> Client::peek(const Request *request, std::optional<std::string_view> method, std::optional<std::string_view> url) {
  auto plan = this->plan(request, method, url);
  if (!plan) return plan.error();
  if (auto error = check_claims(*plan)) return error;
  if (plan->source == nullptr) return make_answer(*plan, nullptr, 0, true);
  std::int32_t word = 0;
  auto token = plan->source->usable(plan->min_remaining_ms, word);
  if (token == nullptr) return common_errors().would_block;
  plan->source->renew_if_stale(*token);
  return make_answer(*plan, std::move(token), word, true);
}

Result<bool> Client::needs_host(const Request *request, std::optional<std::string_view> method, std::optional<std::string_view> url) const {
  const auto plan = this->plan(request, method, url);
  if (!plan) return plan.error();
  return plan->live->setup->needs_host(*plan->credential);
}

Result<std::shared_ptr<Operation>> Client::begin(Plan plan, EventKind kind, const Queue &queue, std::int64_t tag,
                                                 const std::function<ErrorPtr(const std::shared_ptr<Operation> &)> &what) {
  Engine &engine = runtime_->engine();
  if (&queue.engine() != &engine) return fail(Status::InvalidArgument, "the queue must be of the client's runtime");
  auto lock = engine.enter();
  if (engine.closed() || closed_) return common_errors().client_closed;
  if (queue.closed()) return common_errors().queue_closed;
  Engine::SigningHere signing(engine, queue.kind() == Queue::Kind::Sync);
  const auto shared_plan = std::make_shared<const Plan>(std::move(plan));
  auto operation = std::make_shared<Operation>(engine, kind, shared_plan, queue, tag);
  engine.track(operation);
  try {
    operation->wait_until(engine.clock()->boot_ms() + shared_plan->timeout_ms);  // first: what was begun cannot be taken back
    if (ErrorPtr error = what(operation)) {
      operation->abandon();
      return error;
    }
  } catch (...) {
    operation->abandon();  // who is told of a failure gets no event besides
    throw;
  }
  const auto signatures = signing.take();
  lock.unlock();
  engine.carry_out(signatures);
  return operation;
}

Result<std::shared_ptr<Operation>> Client::start(const Request *request, std::optional<std::string_view> method,
                                                 std::optional<std::string_view> url, const Queue &queue, std::int64_t tag) {
  auto plan = this->plan(request, method, url);
  if (!plan) return plan.error();
  if (auto error = check_claims(*plan)) return error;
  return begin(std::move(*plan), EventKind::Token, queue, tag, [](const std::shared_ptr<Operation> &operation) -> ErrorPtr {
    const auto &source = operation->plan().source;
    if (source != nullptr) return source->join(operation);
    operation->got_token(nullptr, 0, true);
    return nullptr;
  });
}

Result<std::shared_ptr<Operation>> Client::inquire(const Request *request, EventKind what, const Queue &queue, std::int64_t tag) {
  auto plan = this->plan(request, {}, {});
  if (!plan) return plan.error();
  if (auto error = check_claims(*plan)) return error;
  const provider::Descriptor &descriptor = *plan->live->setup->config.descriptor;
  const bool accounts = what == EventKind::Accounts;
  const provider::Step *step = descriptor.step(accounts ? plan->credential->accounts_step : plan->credential->identity_step);
  if (step == nullptr) {
    return unsupported(descriptor, accounts ? "the provider lists no accounts" : "the provider does not tell who the caller is");
  }
  return begin(std::move(*plan), what, queue, tag, [&](const std::shared_ptr<Operation> &operation) {
    const auto &sources = operation->plan().live->sources_of(*operation->plan().credential);
    // The list is for whoever has no account yet.
    const auto source = accounts ? sources->of({}) : operation->plan().source;
    return std::make_shared<Inquiry>(runtime_->engine(), operation, source, *step)->begin();
  });
}

Result<std::shared_ptr<Operation>> Client::log_out(const Queue &queue, std::int64_t tag) {
  auto plan = this->plan(nullptr, {}, {});
  if (!plan) return plan.error();
  return begin(std::move(*plan), EventKind::LoggedOut, queue, tag, [&](const std::shared_ptr<Operation> &operation) -> ErrorPtr {
    const auto logout = std::make_shared<Logout>(runtime_->engine(), operation);
    // An inquiry that is refused for the token's end would log in again.
    runtime_->engine().complete_if(
        [this](const Operation &other) {
          return other.plan().client == this && (other.kind() == EventKind::Identity || other.kind() == EventKind::Accounts);
        },
        common_errors().cancelled);
    const auto for_each_source = [&](const std::function<void(TokenSource &)> &what) {
      for (const auto &sources : operation->plan().live->sources) {
        if (sources != nullptr) sources->for_each(what);
      }
    };
    for_each_source([&](TokenSource &source) { logout->prepare(source); });
    // From here on nothing fails: all are forgotten, or none.
    for_each_source([](TokenSource &source) {
      source.forgive();
      source.give_up(common_errors().cancelled);
    });
    Notice logged_out;
    logged_out.kind = NoticeKind::Logout;
    logged_out.provider = operation->plan().live->setup->config.descriptor->name;
    runtime_->engine().notify(logged_out);
    logout->begin();
    return nullptr;
  });
}

Result<std::shared_ptr<Operation>> Client::answer(std::shared_ptr<const flow::Challenge> challenge, SecretBytes code, const Queue &queue,
                                                  std::int64_t tag) {
  auto plan = this->plan(nullptr, {}, {});
  if (!plan) return plan.error();
  const provider::Descriptor &descriptor = *plan->live->setup->config.descriptor;
  const provider::Credential *credential = descriptor.credential(challenge->credential);
  if (code.empty()) return provider::refusal(descriptor, Status::InvalidArgument, "the one-time code must not be empty");
  if (credential == nullptr || descriptor.step(challenge->step) == nullptr || plan->live->sources_of(*credential) == nullptr) {
    return provider::refusal(descriptor, Status::OtpOver, "the challenge is of another provider");
  }
  plan->credential = credential;
  {
    const auto lock = runtime_->engine().enter();
    plan->source = plan->live->sources_of(*credential)->of({challenge->account, nullptr});
  }
  return begin(std::move(*plan), EventKind::Token, queue, tag, [&](const std::shared_ptr<Operation> &operation) {
    return operation->plan().source->answer(operation, std::move(challenge), std::move(code));
  });
}

Result<SecretBytes> Client::seal(const flow::Challenge &challenge, std::string_view key) const {
  const auto live = this->live();
  if (live == nullptr) return common_errors().client_closed;
  return flow::seal_challenge(live->setup->config, challenge, key);
}

Result<std::shared_ptr<const flow::Challenge>> Client::open_challenge(std::string_view sealed, std::string_view key) const {
  const auto live = this->live();
  if (live == nullptr) return common_errors().client_closed;
  auto challenge = flow::open_challenge(live->setup->config, sealed, key);
  if (!challenge) return challenge;
  const flow::Challenge &opened = **challenge;
  opened.bound_to = live->setup->digest + opened.credential;
  const auto &clock = runtime_->engine().clock();
  // A clock that was behind does not make it younger than it is.
  opened.ends = clock->boot_ms() + std::min(opened.lifetime_ms, opened.asked + opened.lifetime_ms - clock->wall_ms());
  return challenge;
}

Result<token::Advice> Client::report_rejected(std::int64_t slot, std::int64_t generation, std::int32_t http_status,
                                              std::optional<std::string_view> date) {
  const auto live = this->live();
  if (live == nullptr || slot < 0) return token::Advice::Stop;  // a local credential has no other
  Engine &engine = runtime_->engine();
  const auto lock = engine.enter();
  // Tokens that are made here have no other answer that the time could be learned from. A late report is not the time of now.
  const auto learn_time = [&](const TokenSource &source) {
    const auto current = source.slot().current();
    const bool is_fresh = current != nullptr && current->generation == generation;
    const auto server_time = date && is_fresh ? parse_http_date(text::trim(*date)) : std::nullopt;
    if (server_time) engine.learn_time(live->setup->digest, *server_time, 0);
  };
  std::optional<token::Advice> of_forgotten;  // an account's, or that of claims, which was not asked for long
  for (const auto &sources : live->sources) {
    if (sources == nullptr) continue;
    const bool curable = sources->kind().credential->is_refusal(http_status);
    if (const auto source = sources->of_slot(slot)) {
      if (!curable) return token::Advice::Stop;
      learn_time(*source);
      return source->reject(generation, http_status);
    }
    const bool forgets = sources->kind().takes_account || sources->kind().takes_claims;
    if (forgets && of_forgotten != token::Advice::Retry) of_forgotten = curable ? token::Advice::Retry : token::Advice::Stop;
  }
  if (of_forgotten) return *of_forgotten;
  return fail(Status::InvalidArgument, "client_report_rejected: the slot is not one of this client's");
}

token::CopyResult Client::copy(std::int64_t slot, char *buffer, std::size_t capacity) {
  // One result, made where the caller wants it: on this path a copy of it would cost as much as the token.
  token::CopyResult result = closed_.load(std::memory_order_acquire) ? token::CopyResult{token::CopyOutcome::NotYours}
                                                                     : token::copy_token(slot, owner_, buffer, capacity);
  // A running engine forgets a token when it expires; without one the clock has to be asked.
  const Engine &engine = runtime_->engine();
  if (result.outcome == token::CopyOutcome::Copied && !engine.words_live() && engine.clock()->boot_ms() >= result.usable_until) {
    result.outcome = token::CopyOutcome::NoToken;
  }
  return result;
}

ErrorPtr Client::serve(const Queue &queue) {
  const auto live = this->live();
  if (live == nullptr) return common_errors().client_closed;
  if (&queue.engine() != &runtime_->engine()) {
    return fail(Status::InvalidArgument, "queue_serve: the queue must be of the client's runtime");
  }
  const auto lock = runtime_->engine().enter();
  if (queue.closed()) return common_errors().queue_closed;
  for (const auto &source : live->sources) {
    if (source != nullptr) source->serve(queue.id());
  }
  return nullptr;
}

void Client::close() {
  Engine &engine = runtime_->engine();
  std::shared_ptr<const Live> last;
  const auto lock = engine.enter();
  {
    const token::WriteGuard guard;
    last.swap(live_);
  }
  if (last == nullptr) return;
  closed_.store(true, std::memory_order_release);
  engine.complete_if([this](const Operation &operation) { return operation.plan().client == this; }, common_errors().client_closed);
  for (const auto &source : last->sources) {
    if (source != nullptr) source->remove_user();
  }
}

}  // namespace fleetauth::runtime
