#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/fleetauth/abi.h"
#include "tools/fleetauth/input.h"

/// What a provider's descriptor says, where the library need not be asked.
namespace fleetauth::command {

using Descriptor = nlohmann::ordered_json;

/// With the descriptor_patch of the options, if they have one.
[[nodiscard]] Descriptor descriptor_of(const Provider &provider, const Values &options);

/// Where a provider is unless a client says otherwise; empty when each client has to.
[[nodiscard]] std::string default_url(const Descriptor &origin);

/// The origins by name, with what a client's options make of them.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> base_urls(const Descriptor &descriptor, const Values &options);

/// The schemes that the options suffice for, the one that is used first first; the library says which. Nothing is sent.
[[nodiscard]] std::vector<std::string> usable_schemes(const Provider &provider, const Descriptor &descriptor, const Values &options);

[[nodiscard]] const Descriptor &credential_of(const Descriptor &descriptor, const std::string &scheme);

/// The names of the steps in a credential's member, which is one or several, or not there.
[[nodiscard]] std::vector<std::string> steps_in(const Descriptor &credential, const char *member);

/// Whether the options have all that the step needs.
[[nodiscard]] bool is_possible(const Descriptor &step, const Values &options);

/// Whether an option has a value; an empty one is none.
[[nodiscard]] bool has_value(const Values &options, const std::string &name);

}  // namespace fleetauth::command
