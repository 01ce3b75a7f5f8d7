#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/fleetauth/input.h"

namespace fleetauth::command {

/// A named set of options from a configuration file.
struct Profile {
  std::string provider;
  Values options;
  std::string file;                                 ///< where it is
  std::map<std::string, std::string> unreadable{};  ///< what is wrong with the references of options, for people
};

/// Reads `[name]` from the file that --config or FLEETAUTH_CONFIG names, or from $XDG_CONFIG_HOME/fleetauth/config.toml.
/// A value is text, a number, a boolean, or a reference to where it is: { env = "…" }, { file = "…" }, { command = ["argv", …] }.
/// A reference that cannot be followed is in `unreadable`. Throws SetupError for anything else, which lists what was tried.
[[nodiscard]] Profile read_profile(const std::string &name, const std::optional<std::string> &config);

/// A profile as far as it can be read without running a program.
struct ProfileState {
  std::string name;
  Profile profile;
  std::vector<std::string> unreadable;  ///< what is wrong with references, for people
  std::vector<std::string> not_run;     ///< options that a program prints
};

/// All profiles of the file that read_profile reads. Throws SetupError when there is no file or it cannot be read.
[[nodiscard]] std::vector<ProfileState> look_at_profiles(const std::optional<std::string> &config);

}  // namespace fleetauth::command
