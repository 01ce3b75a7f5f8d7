#include "tools/fleetauth/profile.h"

#include <cstdlib>
#include <filesystem>

#include "tools/fleetauth/console.h"
#include "tools/fleetauth/profile_text.h"

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

/// What an entry comes to. `where` begins what is thrown.
struct Follow {
  const std::string &where;

  std::string operator()(const std::string &text) const { return text; }
  std::string operator()(const InEnvironment &env) const {
    const char *value = std::getenv(env.name.c_str());
    if (value == nullptr) throw SetupError(where + ": the environment variable " + env.name + " is not set");
    return value;
  }
  std::string operator()(const InFile &file) const { return file_of(file.path, where); }
  std::string operator()(const PrintedBy &program) const { return output_of(program.argv, where); }
  std::string operator()(const NoValue &none) const { throw SetupError(where + none.why); }
};

std::string value_of(const Entry &entry, const std::string &where) { return std::visit(Follow{where}, entry); }

void look_at(const Entry &entry, const std::string &option, ProfileState &state) {
  if (std::holds_alternative<PrintedBy>(entry)) {
    state.not_run.push_back(option);
    return;
  }
  try {
    std::string value = value_of(entry, option);
    if (option == "provider") {
      state.profile.provider = std::move(value);
    } else {
      state.profile.options[option] = std::move(value);
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

std::string names_in(const std::map<std::string, Entries> &profiles) {
  std::string names;
  for (const auto &[name, entries] : profiles) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "none" : names;
}

std::map<std::string, Entries> profiles_in(const std::string &path) { return parse_profiles(Secret(read_file(path)).text(), path); }

}  // namespace

Profile read_profile(const std::string &name, const std::optional<std::string> &config) {
  const auto [path, tried] = config_file(config);
  if (!exists(path)) {
    throw SetupError("there is no profile '" + name + "': no file " + path + ". Tried: " + tried);
  }
  const auto profiles = profiles_in(path);
  const auto found = profiles.find(name);
  if (found == profiles.end()) throw SetupError(path + " has no profile '" + name + "'; it has: " + names_in(profiles));

  Profile profile;
  profile.file = path;
  for (const auto &[option, entry] : found->second) {
    const std::string where = path + ": " + name + "." + option;
    if (option == "provider") {
      profile.provider = value_of(entry, where);
      continue;
    }
    try {
      profile.options[option] = value_of(entry, where);
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
  std::vector<ProfileState> states;
  for (const auto &[name, entries] : profiles_in(path)) {
    ProfileState &state = states.emplace_back();
    state.name = name;
    for (const auto &[option, entry] : entries) look_at(entry, option, state);
  }
  return states;
}

}  // namespace fleetauth::command
