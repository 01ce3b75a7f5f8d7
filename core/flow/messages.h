#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/provider/client_config.h"

namespace fleetauth::flow {

/// `acme: step "token" at https://api.example.com `: what every message about a step begins with.
[[nodiscard]] std::string step_prefix(const provider::ClientConfig &config, const provider::Step &step);
/// An error about a step, with the provider's name.
[[nodiscard]] Error step_error(const provider::ClientConfig &config, const provider::Step &step, Status status, const std::string &what);
/// The names of the parameters a step sends: "api_key, acct_id and secret".
[[nodiscard]] std::string parameter_list(const provider::Descriptor &descriptor, const provider::Step &step);
/// Whether a server's text holds one of the client's secrets.
[[nodiscard]] bool repeats_a_secret(const provider::ClientConfig &config, std::string_view text);

}  // namespace fleetauth::flow
