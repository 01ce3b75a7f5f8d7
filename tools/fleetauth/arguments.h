#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fleetauth::command {

/// A command line, taken apart. What a value means is for those who use it.
struct Arguments {
  std::string command;
  std::vector<std::string> words;  ///< what is no option, after the command
  bool json = false;
  bool help = false;
  bool info = false;  ///< token --info
  bool deps = false;  ///< version --deps
  std::optional<std::string> provider;
  std::optional<std::string> profile;
  std::optional<std::string> config;
  std::optional<std::string> api;
  std::optional<std::string> method;
  std::optional<std::string> data;
  std::vector<std::pair<std::string, std::string>> secret_files;  ///< name, path
  std::vector<std::string> secrets_from_stdin;
  /// Every other `--some-name value`: an option of the client, `some_name`.
  std::map<std::string, std::string> client_options;
};

/// Throws UsageError.
[[nodiscard]] Arguments parse_arguments(int argc, char **argv);

}  // namespace fleetauth::command
