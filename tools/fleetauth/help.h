#pragma once

#include <string>

#include "tools/fleetauth/commands/commands.h"

namespace fleetauth::command {

[[nodiscard]] std::string help();
[[nodiscard]] std::string help_for(const Command &command);

}  // namespace fleetauth::command
