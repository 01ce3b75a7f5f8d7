#include "tools/fleetauth/arguments.h"

#include <algorithm>
#include <string_view>

#include "tools/fleetauth/console.h"

namespace fleetauth::command {

namespace {

std::string as_option_name(std::string_view flag) {
  std::string name(flag);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::pair<std::string, std::string> name_and_value(const std::string &flag, const std::string &text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw UsageError("--" + flag + " takes NAME=VALUE, not '" + text + "'");
  return {as_option_name(text.substr(0, equals)), text.substr(equals + 1)};
}

/// Fills an Arguments, option by option.
class Parser {
 public:
  Parser(int argc, char **argv) : rest_(argv + 1, argv + argc) {}

  Arguments parse() {
    for (next_ = 0; next_ < rest_.size(); ++next_) {
      const std::string &word = rest_[next_];
      if (word == "-h" || word == "--help") {
        arguments_.help = true;
      } else if (word == "--version") {
        arguments_.command = "version";
      } else if (word.starts_with("--") && word.size() > 2) {
        option(word.substr(2));
      } else if (word.starts_with("-") && word.size() > 1) {
        throw UsageError("there is no option " + word + "; see fleetauth --help");
      } else if (arguments_.command.empty()) {
        arguments_.command = word;
      } else {
        arguments_.words.push_back(word);
      }
    }
    return std::move(arguments_);
  }

 private:
  void option(std::string flag) {
    std::optional<std::string> attached;
    if (const std::size_t equals = flag.find('='); equals != std::string::npos) {
      attached = flag.substr(equals + 1);
      flag.resize(equals);
    }
    if (flag == "json") {
      arguments_.json = true;
    } else if (flag == "info") {
      arguments_.info = true;
    } else if (flag == "deps") {
      arguments_.deps = true;
    } else if (std::optional<std::string> *place = known(flag)) {
      *place = value(flag, attached);
    } else if (flag == "set") {
      auto [name, given] = name_and_value(flag, value(flag, attached));
      arguments_.client_options[std::move(name)] = std::move(given);
    } else if (flag == "secret-file") {
      arguments_.secret_files.push_back(name_and_value(flag, value(flag, attached)));
    } else if (flag == "secret-stdin") {
      arguments_.secrets_from_stdin.push_back(as_option_name(value(flag, attached)));
    } else {
      arguments_.client_options[as_option_name(flag)] = value(flag, attached);
    }
  }

  std::optional<std::string> *known(const std::string &flag) {
    if (flag == "provider") return &arguments_.provider;
    if (flag == "profile") return &arguments_.profile;
    if (flag == "config") return &arguments_.config;
    if (flag == "api") return &arguments_.api;
    if (flag == "method") return &arguments_.method;
    if (flag == "data") return &arguments_.data;
    return nullptr;
  }

  std::string value(const std::string &flag, const std::optional<std::string> &attached) {
    if (attached) return *attached;
    if (next_ + 1 >= rest_.size()) throw UsageError("--" + flag + " needs a value");
    return rest_[++next_];
  }

  std::vector<std::string> rest_;
  std::size_t next_ = 0;
  Arguments arguments_;
};

}  // namespace

Arguments parse_arguments(int argc, char **argv) { return Parser(argc, argv).parse(); }

}  // namespace fleetauth::command
