#pragma once

#include "core/flow/http.h"
#include "core/provider/descriptor.h"

namespace fleetauth::flow {

/// What must hold of any answer before a flow looks into it: limits, no redirect, no encoding, the status classes.
/// Null when the answer is a success by the step's own statuses; else the error, with Retry-After and the provider's code.
ErrorPtr check_answer(const provider::Descriptor &descriptor, const provider::Step &step, const HttpResponse &response,
                      const Now &now);

}  // namespace fleetauth::flow
