#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/fleetauth/abi.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"

namespace fleetauth::command {

int run_version(const Arguments &arguments) {
  const std::string version = fleetauth_version(nullptr);
  std::istringstream linked(fleetauth_dependencies(nullptr));
  nlohmann::json json = {{"fleetauth", version}};
  if (!arguments.json) print_line("fleetauth " + version);
  for (std::string name, of; arguments.deps && linked >> name >> of;) {
    json[name] = of;
    if (!arguments.json) print_line(name + " " + of);
  }
  if (arguments.json) print_json(json);
  return 0;
}

}  // namespace fleetauth::command
