#pragma once

#include <optional>
#include <string>

#include "tools/fleetauth/arguments.h"
#include "tools/fleetauth/client.h"
#include "tools/fleetauth/descriptor.h"
#include "tools/fleetauth/finding.h"

/// What was configured, where it is from, and what is wrong with it.
namespace fleetauth::command {

[[nodiscard]] Finding configuration_problem(const std::string &seen, const std::string &next, fleetauth_status status = FLEETAUTH_E_CONFIG);

/// One finding for each option; no secret is shown.
[[nodiscard]] Findings check_options(const Setup &setup, const Descriptor &descriptor);

/// What is wrong with a configuration before the library sees it.
[[nodiscard]] Findings find_gaps(const Arguments &arguments, const Setup &setup, const Descriptor &descriptor);

/// Adds to `findings` what the library says of a configuration that it refuses.
[[nodiscard]] std::optional<Client> try_to_open(const Arguments &arguments, Setup setup, Findings &findings);

}  // namespace fleetauth::command
