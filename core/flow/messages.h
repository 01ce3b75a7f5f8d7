#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/provider/client_config.h"
#include "core/provider/inputs.h"

namespace fleetauth::flow {

/// `acme: step "token" at https://api.example.com `: what every message about a step begins with.
[[nodiscard]] std::string step_prefix(const provider::ClientConfig &config, const provider::Step &step);
/// An error about a step, with the provider's name.
[[nodiscard]] Error step_error(const provider::ClientConfig &config, const provider::Step &step, Status status, const std::string &what);
/// The names of the parameters a step sends: "api_key, acct_id and secret".
[[nodiscard]] std::string parameter_list(const provider::Descriptor &descriptor, const provider::Step &step);
/// The error without the provider's word if that repeats a secret of the client or of the request's inputs, or a good part of one.
[[nodiscard]] ErrorPtr without_secrets(ErrorPtr error, const provider::ClientConfig &config, const provider::Inputs &inputs);

}  // namespace fleetauth::flow
