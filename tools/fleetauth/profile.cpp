#include "tools/fleetauth/profile.h"

#include <cstdlib>
#include <filesystem>

#include <toml++/toml.h>

#include "tools/fleetauth/console.h"
#include "tools/fleetauth/input.h"

namespace fleetauth::command {

namespace {

std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct ConfigFile {
  std::string path;
  std::string tried;  ///< how it was found, for the message when it is not there
};

ConfigFile config_file(const std::optional<std::string> &config) {
  if (config) return {*config, "--config"};
  if (std::string path = environment("FLEETAUTH_CONFIG"); !path.empty()) {
    return {std::move(path), "--config (not given), FLEETAUTH_CONFIG"};
  }
  const std::string tried = "--config (not given), FLEETAUTH_CONFIG (not set), ";
  if (const std::string folder = environment("XDG_CONFIG_HOME"); !folder.empty()) {
    return {folder + "/fleetauth/config.toml", tried + "XDG_CONFIG_HOME"};
  }
  return {environment("HOME") + "/.config/fleetauth/config.toml", tried + "XDG_CONFIG_HOME (not set), HOME"};
}

std::string file_of(const std::string &path, const std::string &where) {
  try {
    return read_secret_file(path);
  } catch (const SetupError &error) {
    throw SetupError(where + ": " + error.what());
  }
}

std::string referred(const toml::table &reference, const std::string &where) {
  if (reference.size() == 1) {
    if (const auto env = reference["env"].value<std::string>()) {
      const char *value = std::getenv(env->c_str());
      if (value == nullptr) throw SetupError(where + ": the environment variable " + *env + " is not set");
      return value;
    }
    if (const auto file = reference["file"].value<std::string>()) return file_of(*file, where);
    if (const toml::array *words = reference["command"].as_array(); words != nullptr && !words->empty()) {
      std::vector<std::string> argv;
      for (const toml::node &word : *words) argv.push_back(word.value_or(std::string()));
      return output_of(std::move(argv), where);
    }
  }
  throw SetupError(where + " must be text, a number, true or false, or one of { env = \"NAME\" }, { file = \"PATH\" }, " +
                   "{ command = [\"PROGRAM\", \"ARGUMENT\"] }");
}

std::string value_of(const toml::node &node, const std::string &where) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto *number = node.as_integer()) {
    // What looks like a number to TOML may be a secret, and in decimal it would be another one.
    if (number->flags() != toml::value_flags::none) throw SetupError(where + ": write it in decimal digits or in quotes");
    return std::to_string(number->get());
  }
  if (const auto boolean = node.value_exact<bool>()) return *boolean ? "true" : "false";
  return referred(node.is_table() ? *node.as_table() : toml::table{}, where);
}

bool is_printed_by_a_program(const toml::node &node) { return node.is_table() && node.as_table()->contains("command"); }

void look_at(const toml::node &node, const std::string &key, ProfileState &state) {
  if (is_printed_by_a_program(node)) {
    state.not_run.push_back(key);
    return;
  }
  try {
    std::string value = value_of(node, key);
    if (key == "provider") {
      state.profile.provider = std::move(value);
    } else {
      state.profile.options[key] = std::move(value);
    }
  } catch (const SetupError &error) {
    state.unreadable.emplace_back(error.what());
  }
}

/// Also false where one may not look.
bool exists(const std::string &path) {
  std::error_code unknown;
  return std::filesystem::exists(path, unknown);
}

std::string names_in(const toml::table &file) {
  std::string names;
  for (const auto &[key, node] : file) {
    if (node.is_table()) names += (names.empty() ? "" : ", ") + std::string(key.str());
  }
  return names.empty() ? "none" : names;
}

/// What the parser quotes beyond a character may be a secret: a key of digits that is too large a number.
std::string without_quotation(std::string description) {
  const std::size_t begin = description.find('\'');
  const std::size_t end = description.rfind('\'');
  if (begin != std::string::npos && end - begin > 3) description.replace(begin + 1, end - begin - 1, "...");
  return description;
}

toml::table parse_file(const std::string &path) {
  try {
    return toml::parse(read_file(path), path);
  } catch (const toml::parse_error &error) {
    const std::string line = std::to_string(error.source().begin.line);
    throw SetupError(path + ":" + line + ": " + without_quotation(std::string(error.description())));
  }
}

}  // namespace

std::string toml_version() {
  return std::to_string(TOML_LIB_MAJOR) + "." + std::to_string(TOML_LIB_MINOR) + "." + std::to_string(TOML_LIB_PATCH);
}

Profile read_profile(const std::string &name, const std::optional<std::string> &config) {
  const auto [path, tried] = config_file(config);
  if (!exists(path)) {
    throw SetupError("there is no profile '" + name + "': no file " + path + ". Tried: " + tried);
  }
  const toml::table file = parse_file(path);
  const toml::table *table = file[name].as_table();
  if (table == nullptr) throw SetupError(path + " has no profile '" + name + "'; it has: " + names_in(file));

  Profile profile;
  profile.file = path;
  for (const auto &[key, node] : *table) {
    const std::string option(key.str());
    const std::string where = path + ": " + name + "." + option;
    if (option == "provider") {
      profile.provider = value_of(node, where);
      continue;
    }
    try {
      profile.options[option] = value_of(node, where);
    } catch (const SetupError &error) {
      profile.unreadable[option] = error.what();
    }
  }
  if (profile.provider.empty()) throw SetupError(path + ": the profile '" + name + "' names no provider");
  return profile;
}

std::vector<ProfileState> look_at_profiles(const std::optional<std::string> &config) {
  const auto [path, tried] = config_file(config);
  if (!exists(path)) throw SetupError("there are no profiles: no file " + path + ". Tried: " + tried);
  const toml::table file = parse_file(path);
  std::vector<ProfileState> states;
  for (const auto &[name, node] : file) {
    if (!node.is_table()) continue;
    ProfileState &state = states.emplace_back();
    state.name = name.str();
    for (const auto &[key, value] : *node.as_table()) look_at(value, std::string(key.str()), state);
  }
  return states;
}

}  // namespace fleetauth::command
