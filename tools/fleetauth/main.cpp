#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "tools/fleetauth/arguments.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/failure.h"
#include "tools/fleetauth/help.h"
#include "tools/fleetauth/suggest.h"

namespace fleetauth::command {

namespace {

const Command &command_of(const std::string &name) {
  std::vector<std::string_view> names;
  for (const Command &command : commands()) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  const auto near = nearest(name, names);
  throw UsageError("there is no command '" + name + "'" +
                   (near ? "; did you mean '" + std::string(*near) + "'?" : "; see fleetauth --help"));
}

int no_command(const Arguments &arguments) {
  if (arguments.help) {
    print(help());
    return 0;
  }
  if (arguments.client_options.empty()) throw UsageError("name a command; fleetauth --help lists them");
  const std::string &option = arguments.client_options.begin()->first;
  throw UsageError("name a command before " + as_flag(option) + suggest_flag(option, {}));
}

int run(Arguments arguments) {
  if (arguments.command == "help") {
    arguments.command = arguments.words.empty() ? "" : arguments.words[0];
    arguments.help = true;
  }
  if (arguments.version) return run_version(arguments);
  if (arguments.command.empty()) return no_command(arguments);
  const Command &command = command_of(arguments.command);
  if (command.run == nullptr) throw UsageError("its options follow the command: fleetauth " + std::string(command.name) + " --help");
  if (arguments.help) {
    print(help_for(command));
    return 0;
  }
  check_belongs(arguments, command.options);
  return command.run(arguments);
}

int main_of_command(int argc, char **argv) {
  const bool json = std::any_of(argv + std::min(argc, 1), argv + argc, [](std::string_view word) { return word == "--json"; });
  try {
    if (argc > 1 && std::string_view(argv[1]) == "emulate") return run_emulate(argc - 1, argv + 1);
    const int status = run(parse_arguments(argc, argv));
    finish_printing();
    return status;
  } catch (const std::exception &error) {
    return tell(error, json);
  }
}

}  // namespace

}  // namespace fleetauth::command

int main(int argc, char **argv) { return fleetauth::command::main_of_command(argc, argv); }
