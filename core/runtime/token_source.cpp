#include "core/runtime/token_source.h"

#include <algorithm>
#include <utility>

#include "core/runtime/common_errors.h"
#include "core/runtime/flight.h"
#include "core/runtime/operation.h"
#include "core/token/life.h"

namespace fleetauth::runtime {

namespace {

constexpr std::int64_t kSecond = 1000;
/// A token that expired on arrival is not asked for again before this time has passed.
constexpr std::int64_t kShortestPause = 1 * kSecond;
/// A token of this age is as long-lived as any that could be had.
constexpr std::int64_t kYoungMs = 10 * kSecond;

/// How long a failure is remembered: callers meanwhile get it without the provider being asked.
std::int64_t pause_after(const Error &error, int failures, const net::Random &random) {
  std::int64_t base = kSecond;
  std::int64_t cap = 60 * kSecond;
  switch (error.status) {
    case Status::InvalidCredentials:
    case Status::AccessDenied:
      cap = 15 * 60 * kSecond;
      break;
    // Nothing was asked of the provider, or the host's own code failed: each caller sees for himself.
    case Status::Config:
    case Status::Callback:
    case Status::Closed:
    case Status::Forked:
    case Status::Resource:
    case Status::NoMem:
      return 0;
    default:
      if (error.is_retryable()) return std::max(net::backoff_ms(std::max(failures, 1), error, random), error.retry_after_ms);
      break;
  }
  const std::int64_t pause = std::min(base << std::min(failures - 1, 20), cap);
  return std::max(pause, error.retry_after_ms);
}

}  // namespace

TokenSource::TokenSource(std::shared_ptr<Engine> engine, std::string_view key, std::uint64_t owner, std::shared_ptr<const Setup> setup,
                         const provider::Credential &credential)
    : engine_(std::move(engine)), setup_(std::move(setup)), credential_(&credential), spread_(token::spread_of(key)), slot_(owner) {}

std::shared_ptr<const token::Token> TokenSource::usable(std::int64_t min_remaining_ms, std::int32_t &word) const {
  word = engine_->words_live() ? slot_.word() : 0;
  auto token = slot_.current();
  if (token == nullptr) return nullptr;
  const BootMs now = engine_->clock()->boot_ms();
  if (now >= token->usable_until) return nullptr;
  if (min_remaining_ms > 0 && token->expires != kNever && token->expires - now < min_remaining_ms) return nullptr;
  return token;
}

void TokenSource::renew_if_stale(const token::Token &token) {
  const BootMs now = engine_->clock()->boot_ms();
  if (now < token.refresh_at) return;
  if (now < renew_from_.load(std::memory_order_acquire) && !engine_->forked()) return;
  const auto lock = engine_->enter();
  renew();
}

void TokenSource::renew() {
  const BootMs now = engine_->clock()->boot_ms();
  if (flight_ != nullptr || now < retry_at_ || users_ == 0 || engine_->closed()) return;
  // A host that sends the requests itself is only asked when a queue of its is there to take the call.
  const auto takes = [this](QueueId server) { return engine_->takes_events(server); };
  if (setup_->host_transport && std::none_of(servers_.begin(), servers_.end(), takes)) return;
  launch();
}

ErrorPtr TokenSource::join(const std::shared_ptr<Operation> &operation) {
  const BootMs now = engine_->clock()->boot_ms();
  std::int32_t word = 0;
  auto token = usable(operation->plan().min_remaining_ms, word);
  if (token == nullptr) {
    // Who asks for more life than the provider gives must not cause a login with every call.
    token = usable(0, word);
    if (token != nullptr && now - token->obtained >= kYoungMs) token = nullptr;
  }
  if (token != nullptr) {
    if (now >= token->refresh_at) renew();
    operation->complete(*engine_, std::move(token), word, true);
    return nullptr;
  }
  if (flight_ == nullptr) {
    if (auto failure = remembered_failure()) {
      operation->complete(*engine_, std::move(failure));
      return nullptr;
    }
    launch();
  }
  if (flight_ == nullptr) {  // it ended at once: a request that could not even be built
    operation->complete(*engine_, last_error_);
    return nullptr;
  }
  if (operation->synchronous() && flight_->held_by_this_thread()) {
    return fail(Status::Reentrant, "this thread has taken the request that the token waits for and has not answered it; answer it first");
  }
  flight_->join(operation);
  return nullptr;
}

token::Advice TokenSource::reject(std::int64_t generation) {
  const auto advice = slot_.reject(generation, engine_->clock()->boot_ms());
  watch_token();
  return advice;
}

void TokenSource::serve(QueueId queue) {
  std::erase_if(servers_, [this, queue](QueueId server) { return server == queue || !engine_->takes_events(server); });
  servers_.push_back(queue);
  if (flight_ != nullptr) flight_->offer_call();
}

void TokenSource::remove_user() {
  if (--users_ > 0) return;
  give_up(common_errors().client_closed);
}

void TokenSource::end_flight(const ErrorPtr &error) {
  if (flight_ != nullptr) std::shared_ptr<Flight>(flight_)->give_up(error);
}

void TokenSource::give_up(const ErrorPtr &error) {
  end_flight(error);
  slot_.drop();
  watch_token();
}

std::shared_ptr<const token::Token> TokenSource::accept(flow::Grant grant) {
  const flow::Now now = engine_->now();
  const token::Life life = token::plan_life(now.boot, grant.lifetime_ms, setup_->refresh_margin_ms, spread_);

  token::Token token;
  token.secret = std::move(grant.access);
  token.obtained = now.boot;
  token.refresh_at = life.refresh_at;
  token.usable_until = life.usable_until;
  token.expires = life.expires;
  token.expires_wall = life.expires == kNever ? kNever : now.wall + (life.expires - now.boot);

  slot_.publish(std::move(token));
  last_error_ = nullptr;
  failures_ = 0;
  retry_at_ = now.boot;
  pause_until_ = life.usable_until - now.boot < kShortestPause ? now.boot + kShortestPause : 0;
  return slot_.current();
}

void TokenSource::note_failure(const ErrorPtr &error) {
  last_error_ = error->user_error == nullptr ? error : nullptr;  // an exception of the host is not kept longer than its callers need it
  const std::int64_t pause = pause_after(*error, failures_ + 1, [this] { return engine_->random(); });
  if (pause > 0) ++failures_;
  retry_at_ = engine_->clock()->boot_ms() + pause;
}

void TokenSource::flight_ended(bool granted) {
  flight_ = nullptr;
  // Holders of the old token's headers must come back for the next attempt.
  if (!granted && slot_.current() != nullptr) slot_.change_word();
  renew_from_.store(retry_at_, std::memory_order_release);
  watch_token();
}

void TokenSource::launch() {
  const BootMs now = engine_->clock()->boot_ms();
  renew_from_.store(kNever, std::memory_order_release);
  flight_ = std::make_shared<Flight>(*engine_, shared_from_this());
  try {
    std::shared_ptr<Flight>(flight_)->begin(std::max<std::int64_t>(pause_until_ - now, 0));
  } catch (...) {
    flight_ended(false);
    throw;
  }
}

ErrorPtr TokenSource::remembered_failure() const {
  const BootMs now = engine_->clock()->boot_ms();
  if (last_error_ == nullptr || now >= retry_at_) return nullptr;
  Error error = *last_error_;
  error.retry_after_ms = retry_at_ - now;
  return fail(std::move(error));
}

/// Arms the timer for the next instant at which holders of a cached header must come back.
void TokenSource::watch_token() {
  engine_->cancel_token_instant(watch_);
  const auto token = slot_.current();
  if (token == nullptr || engine_->manual()) return;
  const BootMs now = engine_->clock()->boot_ms();
  BootMs next = token->usable_until;
  if (now < token->refresh_at) next = std::min(next, token->refresh_at);
  if (now < retry_at_ && failures_ > 0) next = std::min(next, retry_at_);
  if (next == kNever) return;
  watch_ = engine_->at_token_instant(next, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->token_instant();
  });
}

void TokenSource::token_instant() {
  watch_ = {};
  const auto token = slot_.current();
  if (token != nullptr && engine_->clock()->boot_ms() >= token->usable_until) {
    slot_.drop();
  } else {
    slot_.change_word();
  }
  watch_token();
}

}  // namespace fleetauth::runtime
