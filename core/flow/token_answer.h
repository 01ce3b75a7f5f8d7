#pragma once

#include <variant>

#include "core/flow/machine.h"

namespace fleetauth::flow {

using TokenAnswer = std::variant<Grant, Challenge>;

/// What is in an answer that check_answer let pass: the token (success predicates, type, characters, size, lifetime), or the question for a
/// one-time code if the step knows of one.
Result<TokenAnswer> read_token(const provider::ClientConfig &config, const provider::Step &step, const HttpResponse &response,
                               const Now &now);

/// The question for a one-time code that an answer is which a rule of the step takes for one.
Challenge read_challenge(const provider::Step &step, const HttpResponse &response, const Now &now);

}  // namespace fleetauth::flow
