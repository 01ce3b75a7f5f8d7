#pragma once

#include <string_view>

#include "core/base/secret_bytes.h"
#include "core/provider/client_config.h"

namespace fleetauth::provider {

/// Appends what the template comes to, in one allocation at most. False, with nothing appended, when it uses an optional parameter that
/// was not given or an input that is not there: what it was for is then left out.
bool render(const Template &value, const ClientConfig &config, const Inputs &inputs, SecretBytes &out);

}  // namespace fleetauth::provider
