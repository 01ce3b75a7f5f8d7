#include <algorithm>

#include "core/crypto/totp.h"
#include "core/flow/answer.h"
#include "core/flow/machine.h"
#include "core/flow/messages.h"
#include "core/flow/request_builder.h"
#include "core/flow/token_answer.h"
#include "core/provider/errors.h"

namespace fleetauth::flow {
namespace {

using provider::ClientConfig;
using provider::Credential;
using provider::Step;

/// What is sent, by one who wants a token: a refresh token, credentials, or a one-time code; each may lead to the next.
class Exchange final : public Machine {
 public:
  Exchange(const ClientConfig &config, const Credential &credential) : config_(config), credential_(credential) {}

  void is_for(provider::Subject subject, const Session &session) {
    subject_ = std::move(subject);
    refresh_token_ = session.refresh.clone();
    refresh_token_expires_ = session.expires;
    spent_period_ = session.code_period;
  }
  void answers(std::shared_ptr<const Challenge> challenge, SecretBytes code) {
    subject_.account = challenge->account;
    challenge_ = std::move(challenge);
    code_ = std::move(code);
  }

  Effect start(const Now &now) override {
    if (std::exchange(started_, true)) return misused();
    if (challenge_ != nullptr) return send(step_of(challenge_->step), Doing::Answer);
    if (credential_.refresh && !refresh_token_.empty() && now.boot < refresh_token_expires_) {
      return send(step_of(credential_.refresh->step), Doing::Refresh);
    }
    return log_in();
  }

  Effect on_response(const HttpResponse &response, const Now &now) override {
    if (step_ == nullptr) return misused();
    if (auto error = check_answer(config_, *step_, response, now)) return refused(error, response, now);
    auto answer = read_token(config_, *step_, response, now);
    if (!answer) return refused(answer.error(), response, now);
    if (auto *grant = std::get_if<Grant>(&*answer)) return granted(std::move(*grant));
    return challenged(std::move(std::get<Challenge>(*answer)), now);
  }

  Effect on_failure(const HttpFailure &failure, const Now & /*now*/) override {
    if (step_ == nullptr) return misused();
    return Failed{unanswered(config_, *step_, failure)};
  }

  [[nodiscard]] bool refresh_token_is_dead() const override { return refresh_token_is_dead_; }

 private:
  enum class Doing { Refresh, LogIn, Answer };

  [[nodiscard]] provider::Inputs inputs() const {
    provider::Inputs inputs{.refresh_token = refresh_token_.view(), .code = code_.view(), .account = subject_.account};
    inputs.claims = subject_.claims.get();
    if (challenge_ != nullptr) inputs.echoes = &challenge_->echoes;
    return inputs;
  }

  [[nodiscard]] const Step &step_of(std::string_view name) const { return *config_.descriptor->step(name); }

  /// Where memory runs out nothing has changed: the answer that led here may be read again.
  Effect send(const Step &step, Doing doing) {
    auto request = build_request(config_, step, inputs());
    doing_ = doing;
    step_ = &step;
    if (!request) return Failed{request.error()};
    return SendRequest{std::move(*request)};
  }

  Effect log_in() {
    bool fits = false;
    for (const std::string &name : credential_.steps) {
      const Step &step = step_of(name);
      if (!is_for_the_claims(step)) continue;
      fits = true;
      if (config_.possible(step)) return send(step, Doing::LogIn);
    }
    if (!fits && refusal_ == nullptr && subject_.claims != nullptr) return Failed{no_step_for_the_claims()};
    Error error = refusal_ == nullptr ? Error() : *refusal_;
    error.status = Status::LoginRequired;
    error.provider = config_.descriptor->name;
    error.message = config_.descriptor->name + ": the refresh token is no longer good, and the client was given nothing to log in with";
    return Failed{fail(std::move(error))};
  }

  /// A step that uses claims is for exactly those.
  [[nodiscard]] bool is_for_the_claims(const Step &step) const {
    std::vector<std::string> named;
    if (subject_.claims != nullptr) {
      for (const auto &claim : subject_.claims->all) named.push_back(claim.name);
    }
    std::sort(named.begin(), named.end());
    return named == step.claims();
  }

  [[nodiscard]] ErrorPtr no_step_for_the_claims() const {
    Error error = provider::error_of(*config_.descriptor, Status::Config,
                                     "there is no way to a token for just these claims together; there is one for");
    std::string_view separator = " ";
    for (const std::string &name : credential_.steps) {
      std::string claims;
      for (const std::string &claim : step_of(name).claims()) claims += (claims.empty() ? "" : " and ") + claim;
      error.message += std::string(separator) + claims;
      separator = ", ";
    }
    return fail(std::move(error));
  }

  /// A refresh token that is no longer good is no reason to give up while there are credentials.
  Effect refused(const ErrorPtr &answered, const HttpResponse &response, const Now &now) {
    ErrorPtr error = without_secrets(answered, config_, inputs());
    if (error->status == Status::OtpRequired) return challenged(read_challenge(*step_, response, now), now);
    if (doing_ != Doing::Refresh || error->status != Status::LoginRequired) return Failed{std::move(error)};
    refresh_token_is_dead_ = true;
    refresh_token_ = {};
    refusal_ = std::move(error);
    return log_in();
  }

  Effect granted(Grant grant) {
    const bool replaced = !grant.refresh.empty();
    const std::int64_t documented = credential_.refresh ? credential_.refresh->lifetime_ms : 0;
    grant.refresh_lifetime_ms = replaced && documented > 0 ? documented : kNever;
    grant.refreshed = doing_ == Doing::Refresh;
    step_ = nullptr;
    return Granted{std::move(grant)};
  }

  Effect challenged(Challenge challenge, const Now &now) {
    challenge.credential = credential_.name;
    challenge.account = subject_.account;
    const auto kept = std::make_shared<const Challenge>(std::move(challenge));
    const provider::ParameterValue *secret = config_.value(credential_.totp_parameter);
    if (secret == nullptr) return Failed{ask(kept)};
    const auto totp = crypto::TotpSecret::parse(secret->text.view());
    if (!totp) return Failed{totp.error()};
    const std::int64_t period = totp->step(now.server);
    if (spent_period_ != nullptr && period == *spent_period_) return Failed{too_soon((period + 1) * totp->period() * 1000 - now.server)};
    challenge_ = kept;
    code_ = totp->code(now.server);
    Effect answer = send(step_of(kept->step), Doing::Answer);
    if (spent_period_ != nullptr) *spent_period_ = period;
    return answer;
  }

  ErrorPtr ask(std::shared_ptr<const Challenge> challenge) {
    Error error = step_error(config_, *step_, Status::OtpRequired, "asks for a one-time code; answer the challenge of this error with it");
    error.account = challenge->account;
    error.challenge = std::move(challenge);
    return fail(std::move(error));
  }

  /// A provider refuses a code that it has seen, and may count the attempt.
  ErrorPtr too_soon(std::int64_t wait_ms) {
    Error error = step_error(config_, *step_, Status::RateLimited, "asks for a one-time code again, and the one of this moment is used up");
    error.retry_after_ms = wait_ms;
    return fail(std::move(error));
  }

  Effect misused() { return Failed{provider::refusal(*config_.descriptor, Status::Internal, "the login was driven out of order")}; }

  const ClientConfig &config_;
  const Credential &credential_;
  provider::Subject subject_;
  SecretBytes refresh_token_;
  BootMs refresh_token_expires_ = kNever;
  std::shared_ptr<const Challenge> challenge_;
  SecretBytes code_;

  bool started_ = false;
  Doing doing_ = Doing::LogIn;
  const Step *step_ = nullptr;  ///< whose answer is awaited
  bool refresh_token_is_dead_ = false;
  ErrorPtr refusal_;  ///< the provider's word on the refresh token
  std::shared_ptr<std::int64_t> spent_period_;
};

}  // namespace

std::unique_ptr<Machine> make_login(const ClientConfig &config, const Credential &credential, provider::Subject subject,
                                    const Session &session) {
  auto machine = std::make_unique<Exchange>(config, credential);
  machine->is_for(std::move(subject), session);
  return machine;
}

std::unique_ptr<Machine> make_answer(const ClientConfig &config, const Credential &credential, std::shared_ptr<const Challenge> challenge,
                                     SecretBytes code) {
  auto machine = std::make_unique<Exchange>(config, credential);
  machine->answers(std::move(challenge), std::move(code));
  return machine;
}

}  // namespace fleetauth::flow
