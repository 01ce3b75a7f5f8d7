#include "core/flow/answer.h"
#include "core/flow/inquiry_answer.h"
#include "core/flow/machine.h"
#include "core/flow/messages.h"
#include "core/flow/request_builder.h"

namespace fleetauth::flow {
namespace {

using provider::ClientConfig;
using provider::Input;
using provider::Step;

/// One step that is made with a token.
class WithToken : public Machine {
 public:
  WithToken(const ClientConfig &config, const Step &step, std::string_view account, SecretBytes token, SecretBytes refresh_token)
      : config_(config), step_(step), account_(account), token_(std::move(token)), refresh_token_(std::move(refresh_token)) {}

  Effect start(const Now & /*now*/) override {
    auto request = build_request(config_, step_, inputs());
    if (!request) return Failed{request.error()};
    return SendRequest{std::move(*request)};
  }

  Effect on_response(const HttpResponse &response, const Now &now) override {
    if (const auto error = check_answer(config_, step_, response, now)) return failed(error);
    if (step_.yield == provider::Yield::Nothing) return Done{};
    if (step_.yield == provider::Yield::Accounts) {
      auto accounts = read_accounts(config_, step_, response, now);
      return accounts ? Effect(Listed{std::move(*accounts)}) : failed(accounts.error());
    }
    auto identity = read_identity(config_, step_, response, now);
    return identity ? Effect(Identified{std::move(*identity)}) : failed(identity.error());
  }

  Effect on_failure(const HttpFailure &failure, const Now & /*now*/) override { return Failed{unanswered(config_, step_, failure)}; }

 private:
  [[nodiscard]] provider::Inputs inputs() const {
    return {.token = token_.view(), .refresh_token = refresh_token_.view(), .account = account_};
  }
  [[nodiscard]] Effect failed(const ErrorPtr &error) const { return Failed{without_secrets(error, config_, inputs())}; }

  const ClientConfig &config_;
  const Step &step_;
  const std::string account_;
  const SecretBytes token_;
  const SecretBytes refresh_token_;
};

}  // namespace

std::unique_ptr<Machine> make_inquiry(const ClientConfig &config, const Step &step, std::string_view account, SecretBytes token) {
  return std::make_unique<WithToken>(config, step, account, std::move(token), SecretBytes());
}

std::unique_ptr<Machine> make_revocation(const ClientConfig &config, const Step &step, std::string_view account, SecretBytes token,
                                         SecretBytes refresh_token) {
  const bool nothing_to_send = (step.uses(Input::Token) && token.empty()) || (step.uses(Input::RefreshToken) && refresh_token.empty());
  if (nothing_to_send || !config.possible(step)) return nullptr;
  return std::make_unique<WithToken>(config, step, account, std::move(token), std::move(refresh_token));
}

}  // namespace fleetauth::flow
