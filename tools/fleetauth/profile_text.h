#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What a configuration file says, before anything that it refers to is looked up.
namespace fleetauth::command {

/// { env = "NAME" }
struct InEnvironment {
  std::string name;
};
/// { file = "PATH" }
struct InFile {
  std::string path;
};
/// { command = ["PROGRAM", "ARGUMENT"] }
struct PrintedBy {
  std::vector<std::string> argv;
};
/// No value, and why, for people: what follows the option's name.
struct NoValue {
  std::string why;
};
using Entry = std::variant<std::string, InEnvironment, InFile, PrintedBy, NoValue>;

/// The options of a profile.
using Entries = std::map<std::string, Entry>;

/// The profiles in the text of the file `path`, by name. A value that is none hinders no other one; names that could do what they like
/// to a terminal, and what is no TOML, throw SetupError, which names the line and repeats no value.
[[nodiscard]] std::map<std::string, Entries> parse_profiles(std::string_view text, const std::string &path);

/// The version of the TOML library that is compiled in.
[[nodiscard]] std::string toml_version();

}  // namespace fleetauth::command
