#pragma once

#include <optional>
#include <vector>

#include "tools/fleetauth/arguments.h"
#include "tools/fleetauth/client.h"
#include "tools/fleetauth/descriptor.h"
#include "tools/fleetauth/diagnosis.h"
#include "tools/fleetauth/finding.h"

/// Whether the provider accepts the credentials.
namespace fleetauth::command {

/// Logs in, unless that would spend a refresh token or need an origin that was not reached. No client: the configuration is not complete.
[[nodiscard]] Finding check_login(const Arguments &arguments, const std::optional<Client> &client, const Descriptor &descriptor,
                                  const std::vector<Diagnosis> &origins);

}  // namespace fleetauth::command
