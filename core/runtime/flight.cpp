#include "core/runtime/flight.h"

#include <algorithm>
#include <new>
#include <utility>
#include <variant>

#include "core/flow/messages.h"
#include "core/flow/retry_after.h"
#include "core/flow/server_time.h"
#include "core/runtime/common_errors.h"
#include "core/runtime/host_call.h"

namespace fleetauth::runtime {

namespace {

/// Clients of one origin that reach it in different ways do not share what befalls them on the way.
std::string route_of(const Setup &setup, const flow::HttpRequest &request) {
  if (setup.host_transport) return request.origin + " by the host";
  const bool by_proxy = !setup.net->proxy.url.empty() && request.origin.starts_with("https://");
  return by_proxy ? request.origin + " by " + setup.net->proxy.printable + " except " + setup.net->proxy.bypass : request.origin;
}

std::string seconds(std::int64_t ms) { return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms"; }

/// Who gives an origin less time than this says more of his own patience than of the origin.
constexpr std::int64_t kFairMs = 5'000;

}  // namespace

Flight::Flight(Engine &engine, std::shared_ptr<FlightOwner> owner, std::unique_ptr<flow::Machine> machine,
               const std::shared_ptr<Waiter> &waiter)
    : engine_(engine), owner_(std::move(owner)), machine_(std::move(machine)) {
  if (waiter != nullptr) waiters_.push_back(waiter);
}

Flight::~Flight() = default;

template <class Step>
void Flight::guarded(Step step) {
  try {
    step();
  } catch (const std::bad_alloc &) {
    give_up(common_errors().out_of_memory);
  }
}

void Flight::begin(std::int64_t delay_ms) {
  guarded([&] {
    deadline_ = engine_.clock()->boot_ms() + delay_ms + owner_->setup().total_timeout_ms;
    total_deadline_ = engine_.at(deadline_, step(&Flight::fetch_timed_out));
    if (delay_ms == 0) return start();
    wait_until(engine_.clock()->boot_ms() + delay_ms, &Flight::start);
  });
}

void Flight::start() {
  pause_ = {};
  apply(machine_->start(now()));
}

/// What a timer does with the flight, if it still flies.
std::function<void()> Flight::step(void (Flight::*what)()) {
  return [weak = weak_from_this(), what] {
    if (const auto flight = weak.lock()) flight->guarded([&] { (flight.get()->*what)(); });
  };
}

void Flight::join(const std::shared_ptr<Waiter> &waiter) {
  waiters_.push_back(waiter);
  offer_call();
}

void Flight::offer_call() {
  if (host_call_ != nullptr) host_call_->offer(shared_from_this());
}

void Flight::apply(flow::Effect effect) {
  if (auto *next = std::get_if<flow::SendRequest>(&effect)) {
    request_ = std::make_shared<const flow::HttpRequest>(std::move(next->request));
    route_ = route_of(owner_->setup(), *request_);
    order_ = nullptr;
    attempt_ = 0;
    depart();
  } else if (auto *order = std::get_if<flow::Sign>(&effect)) {
    order_ = std::make_shared<const flow::Sign>(std::move(*order));
    request_ = nullptr;
    attempt_ = 0;
    depart();
  } else {
    finish(std::move(effect));
  }
}

net::Pace *Flight::pace() const {
  if (request_ == nullptr) return nullptr;
  const Setup &setup = owner_->setup();
  const provider::Step *step = setup.config.descriptor->step(request_->step);
  if (step == nullptr || !step->rate) return nullptr;
  return &engine_.pace(setup.digest, *step);
}

/// Sends the request as soon as the provider, who asked to wait, and its step's pace allow. What has come up since it began to wait counts.
void Flight::depart() {
  pause_ = {};
  if (auto error = unavailable()) return fail_with(error);
  if (const BootMs until = held_until(); until > 0) {
    give_departure_back();
    const std::int64_t wait_ms = until - engine_.clock()->boot_ms();
    if (until < deadline_) return wait_until(until, &Flight::depart);
    return fail_with(not_asked(Status::RateLimited, "it wants this client to wait (Retry-After), beyond total_timeout_ms", wait_ms));
  }
  const BootMs now = engine_.clock()->boot_ms();
  if (const std::string *login = login_sent(); login != nullptr && !engine_.logins().enter(*login, shared_from_this(), now)) return;
  if (net::Pace *pace = this->pace(); pace != nullptr && !departure_) {
    const BootMs departure = pace->next(now);
    if (departure > now && departure >= deadline_) return fail_with(out_of_turn(departure - now));
    departure_ = pace->book(now);
  }
  if (departure_ && *departure_ > now) return wait_until(*departure_, &Flight::depart);
  attempt();
}

/// The one that sent the same password first has landed. Whoever ended that one may be about to end this one too: it leaves no sooner than
/// the next turn.
void Flight::resume() {
  if (owner_ != nullptr) guarded([this] { pause_ = engine_.at(engine_.clock()->boot_ms(), step(&Flight::depart)); });
}

const std::string *Flight::login_sent() const {
  return request_ != nullptr && request_->call_class == flow::CallClass::OneShot ? owner_->login_name() : nullptr;
}

/// When the wait that the provider asked for is over, and a little later: not all at once. 0 when there is none.
BootMs Flight::held_until() const {
  if (request_ == nullptr) return 0;
  const BootMs now = engine_.clock()->boot_ms();
  const std::int64_t held_ms = engine_.restraint().held_ms(owner_->setup().digest, request_->origin, now);
  if (held_ms == 0) return 0;
  constexpr double kSpread = 0.1;
  return now + held_ms + static_cast<std::int64_t>(engine_.random() * kSpread * static_cast<double>(held_ms));
}

void Flight::give_departure_back() noexcept {
  if (!departure_) return;
  try {
    pace()->give_back(*std::exchange(departure_, std::nullopt));
  } catch (...) {  // without memory it is lost, as if the request had left
  }
}

void Flight::wait_until(BootMs when, void (Flight::*what)()) {
  pause_ = engine_.at(when, step(what));
  if (auto unable = engine_.call_driver()) fail_with(unable);
}

void Flight::attempt() {
  const std::string *login = login_sent();
  if (auto error = login == nullptr ? nullptr : engine_.logins().locked_out(*login)) return fail_with(error);
  departure_.reset();
  ++attempt_;
  engine_.lay_by();
  exchange_ = engine_.next_id();
  engine_.expect(exchange_, shared_from_this());
  if (auto error = order_ == nullptr ? send() : sign()) fail_with(error);
}

ErrorPtr Flight::send() {
  const net::NetOptions &net = *owner_->setup().net;
  const BootMs now = sent_at_ = engine_.clock()->boot_ms();
  is_probe_ = engine_.restraint().take_probe(route_, now);
  engine_.notify(notice(NoticeKind::Request));
  attempt_deadline_ = engine_.at(now + net.attempt_timeout_ms, step(&Flight::attempt_too_long));
  if (owner_->setup().host_transport) {
    host_call_ = std::make_shared<HttpCall>(engine_.shared_from_this(), exchange_, request_, now + net.attempt_timeout_ms);
    offer_call();
  } else {
    connect_deadline_ = engine_.at(now + net.connect_timeout_ms, step(&Flight::connect_too_long));
    engine_.transmit(exchange_, request_, owner_->setup().net);
  }
  return engine_.call_driver();
}

/// What is signed here takes no time that would have to be bounded.
ErrorPtr Flight::sign() {
  if (order_->key != nullptr) return engine_.sign({exchange_, order_});
  const BootMs deadline = engine_.clock()->boot_ms() + owner_->setup().net->attempt_timeout_ms;
  attempt_deadline_ = engine_.at(deadline, step(&Flight::attempt_too_long));
  host_call_ = std::make_shared<SignCall>(engine_.shared_from_this(), exchange_, order_, deadline);
  offer_call();
  return engine_.call_driver();
}

void Flight::on_outcome(Engine::Outcome outcome) {
  exchange_ = 0;
  host_call_ = nullptr;
  end_attempt();
  guarded([&] { handle(outcome); });
}

void Flight::handle(Engine::Outcome &outcome) {
  if (auto *failure = std::get_if<flow::HttpFailure>(&outcome)) return attempt_failed(*failure);
  if (auto *signature = std::get_if<SecretBytes>(&outcome)) return apply(machine_->on_signature(std::move(*signature), now()));
  const auto &response = std::get<flow::HttpResponse>(outcome);
  if (const auto date = flow::date_of(response)) {
    engine_.learn_time(owner_->setup().digest, *date, engine_.clock()->boot_ms() - sent_at_);
  }
  flow::Effect effect = read(response);
  note_answer(response, effect);
  const auto *failed = std::get_if<flow::Failed>(&effect);
  if (failed == nullptr || !repeat(*failed->error, flow::Sent::Maybe)) apply(std::move(effect));
}

/// An answer may hold what the provider gives only once, so the engine has memory laid by for a second look at it.
flow::Effect Flight::read(const flow::HttpResponse &response) {
  try {
    return machine_->on_response(response, now());
  } catch (const std::bad_alloc &) {
    engine_.use_what_is_laid_by();
    return machine_->on_response(response, now());
  }
}

void Flight::attempt_failed(const flow::HttpFailure &failure) {
  note_failure(failure);
  if (!repeat(*failure.error, failure.sent)) apply(machine_->on_failure(failure, now()));
}

/// Sends the request again after a pause; false when its class, the error or the time left do not allow it.
bool Flight::repeat(const Error &error, flow::Sent sent) {
  const flow::CallClass call_class = request_ == nullptr ? flow::CallClass::Idempotent : request_->call_class;
  if (!net::may_repeat(call_class, attempt_, error, sent)) return false;
  const BootMs now = engine_.clock()->boot_ms();
  const BootMs at = std::max(now + net::backoff_ms(attempt_, error, [this] { return engine_.random(); }), held_until());
  const net::Pace *pace = this->pace();
  const BootMs earliest = pace == nullptr ? at : pace->next(at);
  if (earliest >= deadline_) return false;  // of no use to anyone: the callers learn when to come back
  if (request_ != nullptr) {
    if (engine_.restraint().unavailable_ms(route_, earliest) > 0) return false;
    if (!engine_.restraint().spend_for_repeat(route_, error, now)) return false;
    Notice repeated = notice(NoticeKind::Repeat);
    repeated.error = &error;
    repeated.wait_ms = earliest - now;
    engine_.notify(repeated);
  }
  wait_until(at, &Flight::depart);
  return true;
}

/// Restraint is for those who fail: neither for what is signed, nor for what went wrong in this process.
ErrorPtr Flight::unavailable() const {
  if (request_ == nullptr) return nullptr;
  const std::int64_t wait_ms = engine_.restraint().unavailable_ms(route_, engine_.clock()->boot_ms());
  if (wait_ms == 0) return nullptr;
  return not_asked(Status::Unavailable, "it failed repeatedly a moment ago", wait_ms);
}

ErrorPtr Flight::not_asked(Status status, const std::string &why, std::int64_t wait_ms) const {
  const provider::ClientConfig &config = owner_->setup().config;
  Error error = flow::step_error(config, *config.descriptor->step(request_->step), status, "was not asked: " + why);
  error.retry_after_ms = wait_ms;
  return fail(std::move(error));
}

void Flight::note_answer(const flow::HttpResponse &response, const flow::Effect &effect) {
  net::Restraint &restraint = engine_.restraint();
  const auto *failed = std::get_if<flow::Failed>(&effect);
  const BootMs now = engine_.clock()->boot_ms();
  if (failed == nullptr && response.status < 400) {
    restraint.succeeded(route_);
  } else if (const std::int64_t wait_ms = flow::retry_after_ms(response, this->now()); wait_ms > 0) {
    restraint.hold(owner_->setup().digest, request_->origin, now + wait_ms, now);
  }
  if (failed != nullptr && failed->error->status == Status::Server) return note_unavailable();
  note_answered();
}

void Flight::note_answered() {
  if (engine_.restraint().answered(route_)) engine_.notify(notice(NoticeKind::BreakerClosed));
}

void Flight::note_unavailable() {
  const BootMs now = engine_.clock()->boot_ms();
  if (!engine_.restraint().failed(route_, is_probe_, now)) return;
  Notice opened = notice(NoticeKind::BreakerOpened);
  opened.wait_ms = engine_.restraint().unavailable_ms(route_, now);
  engine_.notify(opened);
}

Notice Flight::notice(NoticeKind kind) const {
  Notice out;
  out.kind = kind;
  out.provider = owner_->setup().config.descriptor->name;
  out.step = request_->step;
  out.origin = request_->origin;
  out.attempt = attempt_;
  return out;
}

/// Certificates, proxies and short timeouts are the client's settings as often as the origin's fault, and other clients have others.
void Flight::note_failure(const flow::HttpFailure &failure) {
  if (request_ == nullptr) return;
  const bool nobody_took_it = owner_->setup().host_transport && failure.sent == flow::Sent::No;
  switch (failure.error->status) {
    case Status::Network:
    case Status::Dns:
    case Status::Connect:
    case Status::Protocol:
      return note_unavailable();
    case Status::Timeout:
      if (!nobody_took_it && engine_.clock()->boot_ms() - sent_at_ >= kFairMs) note_unavailable();
      return;
    case Status::TooLarge:
      return note_answered();
    default:
      return;
  }
}

void Flight::attempt_timed_out(bool connecting) {
  (connecting ? connect_deadline_ : attempt_deadline_) = {};
  const flow::Sent sent = sent_state();
  if (connecting && sent == flow::Sent::Maybe) return;  // connected in time
  const net::NetOptions &net = *owner_->setup().net;
  const std::string what =
      connecting ? "no connection within " + seconds(net.connect_timeout_ms) + " (connect_timeout_ms); check the network and the proxy"
                 : "nothing complete within " + seconds(net.attempt_timeout_ms) + " (attempt_timeout_ms)";
  engine_.abort(std::exchange(exchange_, 0));
  // The host is told last: whoever hears of it finds the next attempt planned.
  const auto withdrawn = std::exchange(host_call_, nullptr);
  end_attempt();
  guarded([&] { attempt_failed({timed_out(what), sent}); });
  if (withdrawn != nullptr) withdrawn->withdraw();
}

void Flight::fetch_timed_out() {
  total_deadline_ = {};
  std::string what = "no token within " + seconds(owner_->setup().total_timeout_ms) + " (total_timeout_ms) and " +
                     std::to_string(attempt_) + (attempt_ == 1 ? " attempt" : " attempts");
  if (waits_for_its_turn()) what += ": another login with the same credentials did not end";
  if (exchange_ == 0) return fail_with(timed_out(what));
  const flow::Sent sent = sent_state();
  engine_.abort(std::exchange(exchange_, 0));
  end_attempt();
  const flow::HttpFailure failure{timed_out(what), sent};
  note_failure(failure);
  apply(machine_->on_failure(failure, now()));
}

/// Whether bytes of the request on its way may have reached anyone.
flow::Sent Flight::sent_state() const {
  if (host_call_ != nullptr) return host_call_->claimed() ? flow::Sent::Maybe : flow::Sent::No;
  return engine_.sent(exchange_);
}

ErrorPtr Flight::timed_out(const std::string &what) const {
  Error error;
  error.status = Status::Timeout;
  error.provider = owner_->setup().config.descriptor->name;
  error.message = what;
  return fail(std::move(error));
}

ErrorPtr Flight::out_of_turn(std::int64_t wait_ms) const {
  const provider::ClientConfig &config = owner_->setup().config;
  const provider::Step &step = *config.descriptor->step(request_->step);
  const std::string several = step.rate->burst == 1 ? "" : std::to_string(step.rate->burst) + " at once, then ";
  Error error = flow::step_error(
      config, step, Status::RateLimited,
      "would have to wait " + seconds(wait_ms) + " for its turn, beyond total_timeout_ms: the provider's documented rate is " + several +
          "one request per " + seconds(step.rate->interval_ms) + "; this is no answer of the provider, who was not asked");
  error.retry_after_ms = wait_ms;
  return fail(std::move(error));
}

void Flight::end_attempt() {
  engine_.cancel(connect_deadline_);
  engine_.cancel(attempt_deadline_);
  if (host_call_ != nullptr) std::exchange(host_call_, nullptr)->withdraw();
}

void Flight::give_up(const ErrorPtr &error) { fail_with(error); }

void Flight::finish(flow::Effect effect) {
  const auto self = shared_from_this();  // the owner lets go of it below
  if (owner_ == nullptr) return;
  if (exchange_ != 0) engine_.abort(std::exchange(exchange_, 0));
  end_attempt();
  engine_.cancel(pause_);
  engine_.cancel(total_deadline_);
  give_departure_back();
  const bool one_shot = request_ != nullptr && request_->call_class == flow::CallClass::OneShot;
  Landing landing{std::move(effect), machine_->refresh_token_is_dead(), one_shot, std::exchange(waiters_, {})};
  const auto owner = std::exchange(owner_, nullptr);
  owner->landed(std::move(landing));
  if (owner->login_name() == nullptr) return;
  for (const auto &waiting : engine_.logins().leave(*owner->login_name(), *this)) {
    if (const auto flight = waiting.lock()) flight->resume();
  }
}

bool Flight::held_by_this_thread() const { return host_call_ != nullptr && host_call_->claimed_by_this_thread(); }

std::vector<QueueId> Flight::responders() const {
  std::vector<QueueId> queues;
  const auto add = [this, &queues](QueueId queue) {
    if (std::find(queues.begin(), queues.end(), queue) == queues.end() && engine_.takes_events(queue)) queues.push_back(queue);
  };
  for (const auto &waiter : waiters_) {
    if (!waiter->done()) add(waiter->queue());
  }
  for (const QueueId server : owner_->servers()) add(server);
  return queues;
}

}  // namespace fleetauth::runtime
