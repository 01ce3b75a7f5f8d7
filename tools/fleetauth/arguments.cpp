#include "tools/fleetauth/arguments.h"

#include <algorithm>
#include <array>

#include "tools/fleetauth/client_options.gen.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/suggest.h"

namespace fleetauth::command {

namespace {

constexpr std::array kFlags = {
    Flag{"provider", "NAME|FILE", kWithClient, &Arguments::provider, "a built-in provider, or the file of a descriptor"},
    Flag{"profile", "NAME", kWithClient, &Arguments::profile, "a profile of the configuration file"},
    Flag{"config", "FILE", kWithClient | kStatus, &Arguments::config,
         "the configuration file instead of FLEETAUTH_CONFIG or $XDG_CONFIG_HOME/fleetauth/config.toml"},
    Flag{"set", "NAME=VALUE", kWithClient, &Arguments::set, "any option, as --name VALUE"},
    Flag{"secret-file", "NAME=PATH", kWithClient, &Arguments::secret_files, "takes a secret from a file"},
    Flag{"secret-stdin", "NAME", kWithClient, &Arguments::secret_stdins, "takes a secret from the next line of standard input"},
    Flag{"otp-from", "COMMAND", kWithLogin, &Arguments::otp_from,
         "takes a one-time code from what a shell command prints; else the terminal is asked"},
    Flag{"claim", "NAME=ID", kWithClaims, &Arguments::claims,
         "what the token is for, where it is for claims; several times for several, or for the ids of a list"},
    Flag{"info", "", kToken | kMint, &Arguments::info, "prints the token's life instead of the token"},
    Flag{"method", "METHOD", kHeaders | kRequest, &Arguments::method, "GET unless given (POST with --data)"},
    Flag{"data", "TEXT|@FILE", kRequest, &Arguments::data, "the JSON body to send"},
    Flag{"no-login", "", kDoctor, &Arguments::no_login, "leaves out the login"},
    Flag{"deps", "", kVersion, &Arguments::deps, "also the versions of the linked libraries"},
    Flag{"json", "", kEvery, &Arguments::json, "output for programs; errors too, on standard error"},
    Flag{"help", "", kEvery, &Arguments::help, "this text"},
    Flag{"version", "", kEvery, &Arguments::version, "the same as fleetauth version"},
};

const Flag *own_flag(std::string_view name) {
  const auto *const found = std::find_if(kFlags.begin(), kFlags.end(), [&](const Flag &flag) { return flag.name == name; });
  return found == kFlags.end() ? nullptr : found;
}

bool is_boolean_option(const std::string &name) {
  const ClientOption *option = client_option(name);
  return option != nullptr && option->boolean;
}

/// Fills an Arguments, word by word.
class Parser {
 public:
  Parser(int argc, char **argv) : rest_(argv + 1, argv + argc) {}

  Arguments parse() {
    bool options = true;
    while (next_ < rest_.size()) {
      const std::string word = rest_[next_++];
      if (options && word == "--") {
        options = false;
      } else if (options && word == "-h") {
        arguments_.help = true;
      } else if (options && word.starts_with("--")) {
        option(word.substr(2));
      } else if (options && word.starts_with("-") && word.size() > 1) {
        throw UsageError("there is no option " + word.substr(0, 2) + "; see fleetauth --help");
      } else if (arguments_.command.empty()) {
        arguments_.command = word;
      } else {
        arguments_.words.push_back(word);
      }
    }
    for (const std::string &text : arguments_.set) {
      auto [name, value] = name_and_value("set", text);
      arguments_.client_options[std::move(name)] = std::move(value);
    }
    return std::move(arguments_);
  }

 private:
  void option(std::string name) {
    std::optional<std::string> attached;
    if (const std::size_t equals = name.find('='); equals != std::string::npos) {
      attached = name.substr(equals + 1);
      name.resize(equals);
    }
    if (const Flag *flag = own_flag(name)) {
      arguments_.used.push_back(flag);
      own(*flag, std::move(attached));
    } else if (std::string as_name = as_option(name); is_boolean_option(as_name)) {
      arguments_.client_options[std::move(as_name)] = boolean(std::move(attached));
    } else {
      arguments_.client_options[std::move(as_name)] = value(name, std::move(attached));
    }
  }

  void own(const Flag &flag, std::optional<std::string> attached) {
    if (const auto *single = std::get_if<std::optional<std::string> Arguments::*>(&flag.place)) {
      arguments_.*(*single) = value(flag.name, std::move(attached));
    } else if (const auto *list = std::get_if<std::vector<std::string> Arguments::*>(&flag.place)) {
      (arguments_.*(*list)).push_back(value(flag.name, std::move(attached)));
    } else {
      if (attached) throw UsageError("--" + std::string(flag.name) + " takes no value");
      arguments_.*std::get<bool Arguments::*>(flag.place) = true;
    }
  }

  std::string value(std::string_view flag, std::optional<std::string> attached) {
    if (attached) return std::move(*attached);
    if (next_ >= rest_.size()) throw UsageError("--" + std::string(flag) + " needs a value");
    return rest_[next_++];
  }

  /// `--some-switch` alone means true.
  std::string boolean(std::optional<std::string> attached) {
    if (attached) return std::move(*attached);
    const bool said = next_ < rest_.size() && (rest_[next_] == "true" || rest_[next_] == "false");
    return said ? rest_[next_++] : "true";
  }

  std::vector<std::string> rest_;
  std::size_t next_ = 0;
  Arguments arguments_;
};

}  // namespace

std::span<const Flag> own_flags() { return kFlags; }

Arguments parse_arguments(int argc, char **argv) { return Parser(argc, argv).parse(); }

void check_belongs(const Arguments &arguments, CommandSet command) {
  for (const Flag *flag : arguments.used) {
    if ((flag->commands & command) == 0) {
      throw UsageError("fleetauth " + arguments.command + " has no option --" + std::string(flag->name));
    }
  }
  if ((command & kWithClient) != 0 || arguments.client_options.empty()) return;
  const std::string &option = arguments.client_options.begin()->first;
  throw UsageError("fleetauth " + arguments.command + " has no option " + as_flag(option) + suggest_flag(option, {}));
}

std::pair<std::string, std::string> name_and_value(std::string_view flag, const std::string &text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    const Flag *known = own_flag(flag);
    throw UsageError("--" + std::string(flag) + " takes " + std::string(known == nullptr ? "" : known->value));
  }
  return {as_option(std::string_view(text).substr(0, equals)), text.substr(equals + 1)};
}

std::string as_flag(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

std::string as_option(std::string_view flag) {
  std::string name(flag);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string suggest_flag(std::string_view option, std::vector<std::string_view> options_of_client) {
  std::vector<std::string> own;
  for (const Flag &flag : kFlags) own.push_back(as_option(flag.name));
  options_of_client.insert(options_of_client.end(), own.begin(), own.end());
  const auto near = nearest(option, options_of_client);
  return near ? "; did you mean " + as_flag(std::string(*near)) + "?" : "";
}

}  // namespace fleetauth::command
