#pragma once

#include <span>
#include <string_view>

#include "tools/fleetauth/arguments.h"

/// The subcommands. Each returns the exit status or throws.
namespace fleetauth::command {

int run_token(const Arguments &arguments);
int run_mint(const Arguments &arguments);
int run_headers(const Arguments &arguments);
int run_request(const Arguments &arguments);
int run_login(const Arguments &arguments);
int run_logout(const Arguments &arguments);
int run_status(const Arguments &arguments);
int run_doctor(const Arguments &arguments);
int run_whoami(const Arguments &arguments);
int run_accounts(const Arguments &arguments);
int run_providers(const Arguments &arguments);
int run_version(const Arguments &arguments);
/// Takes its own command line: everything from `emulate` on.
int run_emulate(int argc, char **argv);

struct Command {
  std::string_view name;
  std::string_view takes;
  std::string_view summary;
  std::string_view details;
  CommandSet options;  ///< 0: the command line is not ours
  int (*run)(const Arguments &);
};

[[nodiscard]] std::span<const Command> commands();

}  // namespace fleetauth::command
