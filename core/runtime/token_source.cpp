#include "core/runtime/token_source.h"

#include <algorithm>
#include <new>
#include <utility>

#include "core/provider/errors.h"
#include "core/runtime/common_errors.h"
#include "core/token/life.h"

namespace fleetauth::runtime {

namespace {

constexpr std::int64_t kSecond = 1000;
/// A token that expired on arrival is not asked for again before this time has passed. One that is made here may be made at any time.
constexpr std::int64_t kShortestPause = 1 * kSecond;
/// A token of this age is as long-lived as any that could be had.
constexpr std::int64_t kYoungMs = 10 * kSecond;
/// Whose password was refused need not look before this whether it has been forgiven.
constexpr std::int64_t kShutOutMs = 10 * kSecond;

/// How long a failure is remembered: callers meanwhile get it without the provider being asked.
std::int64_t pause_after(const Error &error, int failures, const net::Random &random) {
  std::int64_t base = kSecond;
  std::int64_t cap = 60 * kSecond;
  switch (error.status) {
    case Status::InvalidCredentials:
    case Status::AccessDenied:
    case Status::LoginRequired:
    case Status::OtpRejected:
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

flow::Session first_session(const SourceKind &kind) {
  flow::Session session;
  const auto &rule = kind.credential->refresh;
  const provider::ParameterValue *initial = rule ? kind.setup->config.value(rule->initial_parameter) : nullptr;
  if (initial != nullptr) session.refresh = initial->text.clone();
  return session;
}

ErrorPtr of_account(const ErrorPtr &error, const std::string &account) {
  if (account.empty() || !error->account.empty()) return error;
  try {
    Error named = *error;
    named.account = account;
    return fail(std::move(named));
  } catch (const std::bad_alloc &) {
    return error;  // what went wrong matters more than for whom
  }
}

ErrorPtr not_again(const Error &error) {
  Error out = error;
  out.account.clear();  // it is the password of all
  out.message += "; it is not sent again, for providers lock accounts: correct it, or log out to have it tried once more";
  return fail(std::move(out));
}

ErrorPtr challenge_over(const TokenSource &source, const std::string &why) {
  Error error = provider::error_of(*source.setup().config.descriptor, Status::OtpOver, "the challenge cannot be answered: " + why);
  error.account = source.account();
  return fail(std::move(error));
}

}  // namespace

TokenSource::TokenSource(std::shared_ptr<SourceKind> kind, provider::Subject subject, bool copyable)
    : kind_(std::move(kind)),
      subject_(std::move(subject)),
      spread_(
          static_cast<float>(token::spread_of(kind_->key + subject_.account + (subject_.claims == nullptr ? "" : subject_.claims->json)))),
      slot_(copyable ? kind_->owner : ~kind_->owner),
      session_(first_session(*kind_)) {}

std::shared_ptr<const token::Token> TokenSource::usable(std::int64_t min_remaining_ms, std::int32_t &word) const {
  word = engine().words_live() ? slot_.word() : 0;
  auto token = slot_.current();
  if (token == nullptr) return nullptr;
  const BootMs now = engine().clock()->boot_ms();
  if (now >= token->usable_until) return nullptr;
  if (min_remaining_ms > 0 && token->expires != kNever && token->expires - now < min_remaining_ms) return nullptr;
  return token;
}

void TokenSource::renew_if_stale(const token::Token &token) {
  const BootMs now = engine().clock()->boot_ms();
  if (now < token.refresh_at) return;
  if (now < renew_from_.load(std::memory_order_acquire) && !engine().forked()) return;
  const auto lock = engine().enter();
  renew();
}

void TokenSource::renew() {
  const BootMs now = engine().clock()->boot_ms();
  if (fetch_ != nullptr || now < retry_at_ || kind_->users == 0 || engine().closed()) return;
  if (session_.refresh.empty() && locked_out() != nullptr) return;
  // A host that sends the requests or signs the tokens itself is only asked when a queue of its is there to take the call.
  const auto takes = [this](QueueId server) { return engine().takes_events(server); };
  if (setup().needs_host(credential()) && std::none_of(servers().begin(), servers().end(), takes)) return;
  try {
    launch(nullptr);
  } catch (const std::bad_alloc &) {  // NOLINT(bugprone-empty-catch): the token that is there is served on, and the next caller tries again
  }
}

ErrorPtr TokenSource::join(const std::shared_ptr<Waiter> &waiter) {
  const BootMs now = engine().clock()->boot_ms();
  std::int32_t word = 0;
  auto token = usable(waiter->min_remaining_ms(), word);
  if (token == nullptr) {
    // Who asks for more life than the provider gives must not cause a login with every call.
    token = usable(0, word);
    if (token != nullptr && now - token->obtained >= kYoungMs) token = nullptr;
  }
  if (token != nullptr) {
    if (now >= token->refresh_at) renew();
    waiter->got_token(std::move(token), word, true);
    return nullptr;
  }
  if (fetch_ == nullptr) {
    if (auto failure = remembered_failure()) {
      waiter->got_error(std::move(failure));
      return nullptr;
    }
    launch(waiter);
    return nullptr;
  }
  if (waiter->synchronous() && fetch_->flight->held_by_this_thread()) {
    return fail(Status::Reentrant, "this thread has taken the request that the token waits for and has not answered it; answer it first");
  }
  fetch_->flight->join(waiter);
  return nullptr;
}

ErrorPtr TokenSource::answer(const std::shared_ptr<Waiter> &waiter, std::shared_ptr<const flow::Challenge> challenge, SecretBytes code) {
  if (challenge->bound_to != kind_->key || challenge->account != account()) return challenge_over(*this, "it is of another client");
  if (challenge->spent) return challenge_over(*this, "it was answered already");
  if (fetch_ != nullptr) return challenge_over(*this, "a login is under way");
  if (engine().clock()->boot_ms() >= challenge->ends) return challenge_over(*this, "it is too old");
  auto machine = flow::make_answer(setup().config, credential(), challenge, std::move(code));
  begin(std::move(machine), waiter, std::move(challenge));
  return nullptr;
}

token::Advice TokenSource::reject(std::int64_t generation, std::int32_t http_status) {
  const auto advice = slot_.reject(generation, engine().clock()->boot_ms());
  Notice rejected = notice(NoticeKind::Rejected);
  rejected.http_status = http_status;
  rejected.generation = generation;
  rejected.advice = advice == token::Advice::Retry ? "retry" : "stop";
  engine().notify(rejected);
  watch_token();
  return advice;
}

void TokenSource::offer_call() {
  if (fetch_ != nullptr) fetch_->flight->offer_call();
}

void TokenSource::end_flight(const ErrorPtr &error) {
  if (fetch_ != nullptr) std::shared_ptr<Flight>(fetch_->flight)->give_up(error);
}

void TokenSource::give_up(const ErrorPtr &error) {
  end_flight(error);
  session_ = {};
  logged_in_ = false;
  slot_.drop();
  end_question();
  failures_ = 0;
  retry_at_ = pause_until_ = 0;
  renew_from_.store(0, std::memory_order_release);
  watch_token();
}

TokenSource::Login TokenSource::login(bool unused_too) const {
  Login login;
  if (const auto token = slot_.current()) login.token = token->secret.clone();
  if (logged_in_ || unused_too) login.refresh_token = session_.refresh.clone();
  return login;
}

void TokenSource::begin_anew() { session_ = first_session(*kind_); }

void TokenSource::landed(Landing landing) {
  // Before anything that may need memory: the next caller must find a source that can begin again.
  const auto fetch = std::exchange(fetch_, nullptr);
  renew_from_.store(0, std::memory_order_release);
  const auto &answered = fetch->answers;
  if (landing.refresh_token_is_dead) session_ = {};

  std::shared_ptr<const token::Token> token;
  ErrorPtr error;
  if (auto *granted = std::get_if<flow::Granted>(&landing.effect)) {
    if (answered != nullptr) answered->spent = true;
    token = accept(std::move(granted->grant), std::move(fetch->token));
    if (landing.one_shot)
      engine().logins().accepted(kind_->login, engine().clock()->boot_ms());  // another way in proves nothing about the password
  } else {
    error = of_account(std::get<flow::Failed>(landing.effect).error, account());
    try {
      if (answered != nullptr) {
        note_refused_answer(error, *answered);
      } else {
        note_failure(error, landing.one_shot);
      }
    } catch (const std::bad_alloc &) {
      error = common_errors().out_of_memory;
    }
    tell_failure(*error);
  }
  fetched(token != nullptr);
  const std::int32_t word = engine().words_live() ? slot_.word() : 0;
  // The first waiter of an answer is who sent the code; the others did not, and the question is still theirs to hear.
  const bool question_is_open = answered != nullptr && last_error_ != nullptr && last_error_->challenge != nullptr;
  const ErrorPtr for_others = question_is_open ? last_error_ : error;
  for (std::size_t i = 0; i < landing.waiters.size(); ++i) {
    if (token != nullptr) {
      landing.waiters[i]->got_token(token, word, false);
    } else {
      landing.waiters[i]->got_error(i == 0 ? error : for_others);
    }
  }
}

std::shared_ptr<const token::Token> TokenSource::accept(flow::Grant grant, std::shared_ptr<token::Token> room) {
  const flow::Now now = engine().now();
  const token::Life life = token::plan_life(now.boot, grant.lifetime_ms, setup().margins, spread_);

  token::Token &token = *room;
  token.secret = std::move(grant.access);
  token.obtained = now.boot;
  token.refresh_at = life.refresh_at;
  token.usable_until = life.usable_until;
  token.expires = life.expires;
  token.expires_wall = life.expires == kNever ? kNever : now.wall + (life.expires - now.boot);

  if (!grant.refresh.empty()) {
    session_.refresh = std::move(grant.refresh);
    session_.expires = grant.refresh_lifetime_ms >= kNever - now.boot ? kNever : now.boot + grant.refresh_lifetime_ms;
  } else if (!grant.refreshed) {
    session_ = {};
  }
  logged_in_ = true;

  slot_.publish(std::move(room));
  end_question();
  failures_ = 0;
  retry_at_ = now.boot;
  tell_granted(grant.refreshed);
  const bool asked_for = credential().kind == provider::FlowKind::Exchange;
  pause_until_ = asked_for && life.usable_until - now.boot < kShortestPause ? now.boot + kShortestPause : 0;
  return slot_.current();
}

Notice TokenSource::notice(NoticeKind kind) const {
  Notice out;
  out.kind = kind;
  out.provider = setup().config.descriptor->name;
  out.credential = credential().name;
  out.account = account();
  return out;
}

void TokenSource::tell_granted(bool refreshed) const {
  const bool minted = credential().kind == provider::FlowKind::SignedJwt;
  Notice granted = notice(minted ? NoticeKind::Mint : refreshed ? NoticeKind::Refresh : NoticeKind::Login);
  const auto token = slot_.current();
  granted.generation = token->generation;
  granted.expires_in_ms = token->expires == kNever ? kNever : token->expires - token->obtained;
  engine().notify(granted);
}

void TokenSource::tell_failure(const Error &error) const {
  const bool nobodys_fault = error.status == Status::Closed || error.status == Status::Cancelled || error.status == Status::Forked;
  if (nobodys_fault) return;
  Notice failed = notice(NoticeKind::Failure);
  failed.error = &error;
  engine().notify(failed);
}

void TokenSource::note_failure(const ErrorPtr &error, bool one_shot) {
  const BootMs now = engine().clock()->boot_ms();
  if (error->challenge != nullptr) error->challenge->bound_to = kind_->key;
  last_error_ = error->user_error == nullptr ? error : nullptr;  // an exception of the host is not kept longer than its callers need it
  if (error->challenge != nullptr) {
    retry_at_ = now + error->challenge->lifetime_ms;
    return;
  }
  const bool refused = one_shot && (error->status == Status::InvalidCredentials || error->status == Status::OtpRejected);
  if (refused && locked_out() == nullptr) {  // or this one was not even sent
    // A code may also be wrong because our clock was, which its refusal has told of.
    constexpr int kToleratedCodes = 1;
    engine().logins().refused(kind_->login, not_again(*error), error->status == Status::OtpRejected ? kToleratedCodes : 0);
  }
  if (refused && locked_out() != nullptr) {  // which is all that counts from now on
    last_error_ = nullptr;
    retry_at_ = now + kShutOutMs;
    return;
  }
  const std::int64_t pause = pause_after(*error, failures_ + 1, [this] { return engine().random(); });
  if (pause > 0) ++failures_;
  retry_at_ = now + pause;
}

/// The question stays open for another code, unless it is over.
void TokenSource::note_refused_answer(const ErrorPtr &error, const flow::Challenge &challenge) {
  if (error->status != Status::OtpOver) return;
  challenge.spent = true;
  end_question();
  retry_at_ = engine().clock()->boot_ms();
}

/// The challenge that is asked here is answered, be it by what was sealed and opened of it.
void TokenSource::end_question() {
  if (last_error_ != nullptr && last_error_->challenge != nullptr) last_error_->challenge->spent = true;
  last_error_ = nullptr;
}

void TokenSource::fetched(bool granted) {
  // Holders of the old token's headers must come back for the next attempt.
  if (!granted && slot_.current() != nullptr) slot_.change_word();
  renew_from_.store(retry_at_, std::memory_order_release);
  watch_token();
}

void TokenSource::launch(const std::shared_ptr<Waiter> &waiter) {
  if (credential().kind == provider::FlowKind::SignedJwt) return begin(flow::make_minting(setup().config, credential(), subject_), waiter);
  if (!credential().totp_parameter.empty()) session_.code_period = engine().logins().code_period(kind_->login);
  begin(flow::make_login(setup().config, credential(), subject_, session_), waiter);
}

void TokenSource::begin(std::unique_ptr<flow::Machine> machine, const std::shared_ptr<Waiter> &waiter,
                        std::shared_ptr<const flow::Challenge> answers) {
  const BootMs now = engine().clock()->boot_ms();
  make_watch();
  // The waiter is there first: a request that cannot even be built ends the flight at once.
  const auto flight = std::make_shared<Flight>(engine(), shared_from_this(), std::move(machine), waiter);
  fetch_ = std::make_unique<Fetch>(Fetch{flight, std::make_shared<token::Token>(), std::move(answers)});
  renew_from_.store(kNever, std::memory_order_release);
  flight->begin(std::max<std::int64_t>(pause_until_ - now, 0));
}

ErrorPtr TokenSource::remembered_failure() const {
  if (auto error = session_.refresh.empty() ? locked_out() : nullptr) return error;
  const BootMs now = engine().clock()->boot_ms();
  if (last_error_ == nullptr || now >= retry_at_) return nullptr;
  if (last_error_->challenge != nullptr) return last_error_;
  Error error = *last_error_;
  error.retry_after_ms = retry_at_ - now;
  return fail(std::move(error));
}

/// There is a timer, set to no instant, for the token that is about to be asked for.
void TokenSource::make_watch() {
  if (watch_ || engine().manual()) return;
  watch_ = engine().at_token_instant(kNever, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->token_instant();
  });
}

/// Sets the timer to the next instant at which holders of a cached header must come back.
void TokenSource::watch_token() {
  const auto token = slot_.current();
  if (token == nullptr && fetch_ == nullptr) return engine().cancel_token_instant(watch_);
  engine().move_token_instant(watch_, token == nullptr ? kNever : next_instant(*token));
}

BootMs TokenSource::next_instant(const token::Token &token) const {
  const BootMs now = engine().clock()->boot_ms();
  BootMs next = token.usable_until;
  if (now < token.refresh_at) next = std::min(next, token.refresh_at);
  if (now < retry_at_ && failures_ > 0) next = std::min(next, retry_at_);
  return next;
}

void TokenSource::token_instant() {
  const auto token = slot_.current();
  if (token != nullptr && engine().clock()->boot_ms() >= token->usable_until) {
    slot_.drop();
  } else {
    slot_.change_word();
  }
  watch_token();
}

}  // namespace fleetauth::runtime
