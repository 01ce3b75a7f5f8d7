#pragma once

#include "core/flow/machine.h"

namespace fleetauth::flow {

/// Credentials for a token, in one request and one answer.
std::unique_ptr<Machine> make_exchange(const provider::ClientConfig &config, const provider::Step &step);

}  // namespace fleetauth::flow
