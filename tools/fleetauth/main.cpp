#include <array>
#include <exception>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/fleetauth/abi.h"
#include "tools/fleetauth/arguments.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/exit_status.gen.h"

namespace fleetauth::command {

namespace {

constexpr int kExitOther = 1;
constexpr int kExitUsage = 2;

constexpr std::string_view kHelp = R"(Tokens and headers for fleet telematics providers.

  fleetauth token                      prints a token (--info: its life instead of itself)
  fleetauth headers URL                prints the headers that authorise a request to URL
  fleetauth request URL                sends the request itself; heals one 401 (--method M, --data TEXT or @FILE)
  fleetauth providers [list]           the built-in providers
  fleetauth providers show NAME        what a provider needs and offers
  fleetauth providers lint FILE        checks a descriptor
  fleetauth emulate [--help]           all providers on loopback, with faults on demand
  fleetauth version [--deps]           version, and those of the linked libraries

Which provider, with which credentials
  --provider NAME|FILE                 a built-in provider or a descriptor's file
  --profile NAME [--config FILE]       a profile of $XDG_CONFIG_HOME/fleetauth/config.toml (or FLEETAUTH_CONFIG)
  --some-option VALUE                  any parameter of the provider and any option of a client, such as --acct-id,
                                       --base-url, --ca-file, --scheme; the same as --set some_option=VALUE
  Secrets are never taken from the command line: use the environment variable which `providers show` names,
  --secret-file NAME=PATH, --secret-stdin NAME, a profile, or the question on the terminal.

  --api NAME                           the API group, when the URL does not tell
  --json                               output for programs, errors too (on standard error)

Exit status: 0 success, 1 other failures, 2 wrong command line, 3 configuration, 4 credentials refused, 5 access denied,
6 rate limited, 7 provider unavailable, 8 network, 9 timeout, 10 cancelled, 11 closed.
)";

struct Subcommand {
  std::string_view name;
  int (*run)(const Arguments &);
};
constexpr std::array<Subcommand, 5> kSubcommands = {{
    {"token", run_token},
    {"headers", run_headers},
    {"request", run_request},
    {"providers", run_providers},
    {"version", run_version},
}};

int exit_of_class(std::string_view error_class) {
  for (const ExitRow &row : kExitTable) {
    if (row.error_class == error_class) return row.exit;
  }
  return kExitOther;
}

const ExitRow *row_of(fleetauth_status status) {
  for (const ExitRow &row : kExitTable) {
    if (row.status == status) return &row;
  }
  return nullptr;
}

int tell(const Arguments &arguments, const LibraryError &error) {
  const ExitRow *row = row_of(error.status);
  if (arguments.json) {
    nlohmann::json json = {{"status", fleetauth_status_name(error.status, nullptr)},
                           {"class", row == nullptr ? "FleetAuthError" : std::string(row->error_class)},
                           {"message", error.what()},
                           {"retryable", error.retryable}};
    if (!error.provider.empty()) json["provider"] = error.provider;
    if (!error.provider_code.empty()) json["provider_code"] = error.provider_code;
    if (error.http_status != 0) json["http_status"] = error.http_status;
    if (error.retry_after_ms >= 0) json["retry_after_ms"] = error.retry_after_ms;
    complain_json({{"error", std::move(json)}});
  } else {
    complain(error.what());
  }
  return row == nullptr ? kExitOther : row->exit;
}

int tell(const Arguments &arguments, const std::exception &error, std::string_view error_class, int exit) {
  if (arguments.json) {
    complain_json({{"error", {{"class", error_class}, {"message", error.what()}}}});
  } else {
    complain(error.what());
  }
  return exit;
}

int run(const Arguments &arguments) {
  if (arguments.help || arguments.command.empty()) {
    print_line(kHelp.substr(0, kHelp.size() - 1));
    return arguments.help ? 0 : kExitUsage;
  }
  for (const Subcommand &subcommand : kSubcommands) {
    if (subcommand.name == arguments.command) return subcommand.run(arguments);
  }
  throw UsageError("there is no command '" + arguments.command + "'; see fleetauth --help");
}

}  // namespace

int main_command(int argc, char **argv) {
  Arguments arguments;
  try {
    if (argc > 1 && std::string_view(argv[1]) == "emulate") return run_emulate(argc - 1, argv + 1);
    arguments = parse_arguments(argc, argv);
    return run(arguments);
  } catch (const LibraryError &error) {
    return tell(arguments, error);
  } catch (const UsageError &error) {
    return tell(arguments, error, "UsageError", kExitUsage);
  } catch (const SetupError &error) {
    return tell(arguments, error, "ConfigurationError", exit_of_class("ConfigurationError"));
  } catch (const std::exception &error) {
    return tell(arguments, error, "FleetAuthError", kExitOther);
  }
}

}  // namespace fleetauth::command

int main(int argc, char **argv) { return fleetauth::command::main_command(argc, argv); }
