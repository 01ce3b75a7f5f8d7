#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fleetauth::command {

/// A named set of options from a configuration file.
struct Profile {
  std::string provider;
  std::map<std::string, std::string> options;
};

/// Reads `[name]` from the file that --config or FLEETAUTH_CONFIG names, or from $XDG_CONFIG_HOME/fleetauth/config.toml.
/// A value is text, a number, a boolean, or a reference to where it is: { env = "…" }, { file = "…" }, { command = ["argv", …] }.
/// Throws SetupError, which lists what was tried.
[[nodiscard]] Profile read_profile(const std::string &name, const std::optional<std::string> &config);

}  // namespace fleetauth::command
