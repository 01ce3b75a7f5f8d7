#pragma once

#include "core/flow/machine.h"

namespace fleetauth::flow {

// In an answer that check_answer let pass. E_PROTOCOL when what the step promises is not there.

Result<Identity> read_identity(const provider::ClientConfig &config, const provider::Step &step, const HttpResponse &response,
                               const Now &now);
Result<Accounts> read_accounts(const provider::ClientConfig &config, const provider::Step &step, const HttpResponse &response,
                               const Now &now);

}  // namespace fleetauth::flow
