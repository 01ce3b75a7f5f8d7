#pragma once

#include "core/flow/machine.h"

namespace fleetauth::flow {

/// The token in an answer that check_answer let pass: success predicates, type, characters, size, lifetime.
Result<Grant> read_token(const provider::ClientConfig &config, const provider::Step &step, const HttpResponse &response, const Now &now);

}  // namespace fleetauth::flow
