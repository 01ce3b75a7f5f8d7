#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/fleetauth/abi.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/profile_text.h"

namespace fleetauth::command {

namespace {

using Versions = std::vector<std::pair<std::string, std::string>>;

/// What the library contains, then what only the command does.
Versions linked() {
  Versions versions;
  std::istringstream of_library(fleetauth_dependencies(nullptr));
  for (std::string name, version; of_library >> name >> version;) versions.emplace_back(name, version);
  versions.emplace_back("tomlplusplus", toml_version());
  versions.emplace_back("nlohmann-json", nlohmann::json::meta()["version"]["string"].get<std::string>());
  return versions;
}

}  // namespace

int run_version(const Arguments &arguments) {
  if (!arguments.words.empty()) throw UsageError("use: fleetauth version [--deps]");
  Versions versions = {{"fleetauth", fleetauth_version(nullptr)}};
  if (arguments.deps) {
    for (auto &one : linked()) versions.push_back(std::move(one));
  }
  if (arguments.json) {
    print_json(nlohmann::json(std::map<std::string, std::string>(versions.begin(), versions.end())));
  } else {
    for (const auto &[name, version] : versions) print_line(name + " " + version);
  }
  return 0;
}

}  // namespace fleetauth::command
