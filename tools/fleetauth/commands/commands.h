#pragma once

#include "tools/fleetauth/arguments.h"

/// The subcommands. Each returns the exit status or throws.
namespace fleetauth::command {

int run_token(const Arguments &arguments);
int run_headers(const Arguments &arguments);
int run_request(const Arguments &arguments);
int run_providers(const Arguments &arguments);
int run_version(const Arguments &arguments);
/// Takes its own command line: everything after `emulate`.
int run_emulate(int argc, char **argv);

}  // namespace fleetauth::command
