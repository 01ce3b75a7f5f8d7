#include "core/flow/exchange.h"

#include "core/flow/answer.h"
#include "core/flow/messages.h"
#include "core/flow/request_builder.h"
#include "core/flow/token_answer.h"

namespace fleetauth::flow {
namespace {

class Exchange final : public Machine {
 public:
  Exchange(const provider::ClientConfig &config, const provider::Step &step) : config_(config), step_(step) {}

  Effect start(const Now & /*now*/) override {
    if (state_ != State::New) return misused();
    auto request = build_request(config_, step_);
    if (!request) return Failed{request.error()};
    state_ = State::Sent;
    return SendRequest{std::move(*request)};
  }

  Effect on_response(const HttpResponse &response, const Now &now) override {
    if (state_ != State::Sent) return misused();
    if (auto error = check_answer(config_, step_, response, now)) return Failed{std::move(error)};
    auto grant = read_token(config_, step_, response, now);
    if (!grant) return Failed{grant.error()};
    state_ = State::Finished;
    return Granted{std::move(*grant)};
  }

  Effect on_failure(const HttpFailure &failure, const Now & /*now*/) override {
    if (state_ != State::Sent) return misused();
    return Failed{unanswered(config_, step_, failure)};
  }

 private:
  enum class State { New, Sent, Finished };

  Effect misused() { return Failed{fail(step_error(config_, step_, Status::Internal, "was driven out of order"))}; }

  const provider::ClientConfig &config_;
  const provider::Step &step_;
  State state_ = State::New;
};

}  // namespace

std::unique_ptr<Machine> make_exchange(const provider::ClientConfig &config, const provider::Step &step) {
  return std::make_unique<Exchange>(config, step);
}

}  // namespace fleetauth::flow
