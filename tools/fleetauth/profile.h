#pragma once

#include <optional>
#include <string>

#include "tools/fleetauth/input.h"

namespace fleetauth::command {

/// A named set of options from a configuration file.
struct Profile {
  std::string provider;
  Values options;
};

/// Reads `[name]` from the file that --config or FLEETAUTH_CONFIG names, or from $XDG_CONFIG_HOME/fleetauth/config.toml.
/// A value is text, a number, a boolean, or a reference to where it is: { env = "…" }, { file = "…" }, { command = ["argv", …] }.
/// Throws SetupError, which lists what was tried.
[[nodiscard]] Profile read_profile(const std::string &name, const std::optional<std::string> &config);

/// The version of the TOML library that is compiled in.
[[nodiscard]] std::string toml_version();

}  // namespace fleetauth::command
