#include "core/runtime/errand.h"

#include <new>
#include <utility>

#include "core/runtime/common_errors.h"

namespace fleetauth::runtime {

namespace {

/// Nobody waits for it any more.
void give_up(const std::shared_ptr<Flight> &flight) {
  if (flight != nullptr) flight->give_up(common_errors().cancelled);
}

}  // namespace

// ---------------------------------------------------------------- Inquiry

Inquiry::Inquiry(Engine &engine, std::shared_ptr<Operation> operation, std::shared_ptr<TokenSource> source, const provider::Step &step)
    : engine_(engine), operation_(std::move(operation)), source_(std::move(source)), step_(step) {}

ErrorPtr Inquiry::begin() {
  operation_->when_over([weak = weak_from_this()] {
    if (const auto self = weak.lock()) give_up(self->flight_);
  });
  return source_->join(shared_from_this());
}

void Inquiry::got_token(std::shared_ptr<const token::Token> token, std::int32_t /*word*/, bool /*from_cache*/) {
  if (operation_->done()) return;
  generation_ = token->generation;
  or_fail([&] {
    auto machine = flow::make_inquiry(setup().config, step_, source_->account(), token->secret.clone());
    const auto flight = flight_ = std::make_shared<Flight>(engine_, shared_from_this(), std::move(machine), shared_from_this());
    flight->begin(0);
  });
}

void Inquiry::landed(Landing landing) {
  flight_ = nullptr;
  or_fail([&] { conclude(landing); });
}

/// Whoever else waits for the token has no part in it.
template <class Step>
void Inquiry::or_fail(Step step) {
  try {
    step();
  } catch (const std::bad_alloc &) {
    operation_->got_error(common_errors().out_of_memory);
  }
}

void Inquiry::conclude(Landing &landing) {
  if (auto *identified = std::get_if<flow::Identified>(&landing.effect)) return operation_->got_identity(std::move(identified->identity));
  if (auto *listed = std::get_if<flow::Listed>(&landing.effect)) return operation_->got_accounts(std::move(listed->accounts));
  const ErrorPtr &error = std::get<flow::Failed>(landing.effect).error;
  if (renew_after(*error)) return;
  if (!source_->credential().is_refusal(error->http_status)) return operation_->got_error(error);
  Error denied = *error;
  denied.status = Status::AccessDenied;  // the token is fresh: another would be refused too
  operation_->got_error(fail(std::move(denied)));
}

bool Inquiry::renew_after(const Error &error) {
  if (!source_->credential().is_refusal(error.http_status) || renewed_ || operation_->done()) return false;
  if (source_->reject(generation_, error.http_status) != token::Advice::Retry) return false;
  renewed_ = true;
  if (auto refused = source_->join(shared_from_this())) operation_->got_error(std::move(refused));
  return true;
}

// ---------------------------------------------------------------- Logout

Logout::Logout(Engine &engine, std::shared_ptr<Operation> operation) : engine_(engine), operation_(std::move(operation)) {}

void Logout::prepare(const TokenSource &source) {
  servers_ = source.servers();
  const bool of_client = operation_->plan().source.get() == &source;
  const TokenSource::Login login = source.login(of_client);
  const provider::ClientConfig &config = source.setup().config;
  for (const std::string &step : source.credential().revoke) {
    auto machine =
        flow::make_revocation(config, *config.descriptor->step(step), source.account(), login.token.clone(), login.refresh_token.clone());
    if (machine != nullptr) revocations_.push_back(std::move(machine));
  }
}

void Logout::begin() {
  operation_->when_over([weak = weak_from_this()] {
    if (const auto self = weak.lock()) give_up(std::exchange(self->flight_, nullptr));
  });
  revoke_next();
}

void Logout::revoke_next() {
  while (!operation_->done()) {
    if (revocations_.empty()) return error_ == nullptr ? operation_->finished() : operation_->got_error(error_);
    auto machine = std::move(revocations_.front());
    revocations_.pop_front();
    try {
      flight_ = std::make_shared<Flight>(engine_, shared_from_this(), std::move(machine), operation_);
    } catch (const std::bad_alloc &) {
      if (error_ == nullptr) error_ = common_errors().out_of_memory;
      continue;
    }
    return std::shared_ptr<Flight>(flight_)->begin(0);
  }
}

void Logout::landed(Landing landing) {
  flight_ = nullptr;
  if (const auto *failed = std::get_if<flow::Failed>(&landing.effect); failed != nullptr && error_ == nullptr) error_ = failed->error;
  revoke_next();
}

}  // namespace fleetauth::runtime
