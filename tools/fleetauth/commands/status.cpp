#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/fleetauth/client.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/descriptor.h"
#include "tools/fleetauth/profile.h"
#include "tools/fleetauth/text.h"

namespace fleetauth::command {

namespace {

/// What can be said of a profile without asking anybody.
struct Report {
  std::string profile;
  std::string provider;
  std::string state = "complete";
  std::vector<std::string> problems;
  std::vector<std::string> not_run;
  std::vector<std::string> schemes;
  std::vector<std::pair<std::string, std::string>> origins;
};

constexpr const char *kNotRunUrl = "https://not-run.invalid";

/// In place of a value that a program would print: the checks of its type and form accept it.
std::string stand_in(const std::string &option, const Descriptor &descriptor) {
  if (option.ends_with("base_url")) return kNotRunUrl;
  const auto parameter = descriptor["parameters"].find(option);
  if (parameter == descriptor["parameters"].end()) return "";
  const std::string type = parameter->value("type", "");
  return type == "integer" ? "1" : type == "boolean" ? "true" : std::string(32, 'A');
}

void stand_in_for_programs(const ProfileState &state, const Descriptor &descriptor, Values &options) {
  for (const std::string &name : state.not_run) {
    if (std::string value = stand_in(name, descriptor); !value.empty()) options[name] = std::move(value);
  }
}

/// Values that are looked at whole when a client is made, so that nothing can stand in for them: keys, their files, and names of claim
/// sets.
bool needs_its_value(const std::string &option, const Descriptor &descriptor) {
  for (const auto &[name, credential] : descriptor["credentials"].items()) {
    const auto key = credential.find("key");
    if (key != credential.end() && (key->value("service_account", "") == option || key->value("file", "") == option)) return true;
    if (credential.value("claim_set", "") == option) return true;
  }
  return false;
}

/// The origins, but for those that a program prints.
std::vector<std::pair<std::string, std::string>> known_base_urls(const Descriptor &descriptor, const Values &options) {
  auto urls = base_urls(descriptor, options);
  std::erase_if(urls, [](const auto &origin) { return origin.second == kNotRunUrl; });
  return urls;
}

void look(ProfileState &state, Report &report) {
  if (std::find(state.not_run.begin(), state.not_run.end(), "provider") != state.not_run.end()) return;
  if (state.profile.provider.empty()) throw SetupError("the profile names no provider");
  const Provider provider = open_provider(state.profile.provider);
  Values &options = state.profile.options;
  const Descriptor before = descriptor_of(provider, {});
  stand_in_for_programs(state, before, options);
  add_environment(options, provider);
  const auto needed = [&](const std::string &name) { return needs_its_value(name, before); };
  if (std::any_of(state.not_run.begin(), state.not_run.end(), needed)) {
    report.origins = known_base_urls(before, options);
    return;
  }
  (void)new_client(shared_runtime(), provider, client_options(provider, options));
  const Descriptor descriptor = descriptor_of(provider, options);
  report.schemes = usable_schemes(provider, descriptor, options);
  report.origins = known_base_urls(descriptor, options);
}

Report report_on(ProfileState &state) {
  Report report;
  report.profile = state.name;
  report.provider = state.profile.provider;
  report.not_run = state.not_run;
  if (!state.unreadable.empty()) {
    report.state = "unreadable";
    report.problems = state.unreadable;
    return report;
  }
  try {
    look(state, report);
  } catch (const std::exception &error) {
    report.state = "unusable";
    report.problems = {error.what()};
  }
  return report;
}

std::string or_dash(const std::string &text) { return text.empty() ? "-" : text; }

/// One URL alone, several with their names.
std::string places(const Report &report) {
  std::vector<std::string> texts;
  for (const auto &[name, url] : report.origins) texts.push_back(report.origins.size() == 1 ? url : name + " " + url);
  return or_dash(joined(texts));
}

void tell(const std::vector<Report> &reports) {
  std::vector<std::vector<std::string>> table{{"PROFILE", "PROVIDER", "STATE", "SCHEMES", "ORIGIN"}};
  std::vector<std::string> remarks;
  for (const Report &report : reports) {
    table.push_back({report.profile, or_dash(report.provider), report.state, or_dash(joined(report.schemes)), places(report)});
    for (const std::string &problem : report.problems) remarks.push_back(report.profile + ": " + problem);
    if (!report.not_run.empty()) remarks.push_back(report.profile + ": not run: the program that prints " + joined(report.not_run));
  }
  print_table(table);
  if (!remarks.empty()) print_line("\n" + joined(remarks, "\n"));
}

void tell_json(const std::vector<Report> &reports) {
  using nlohmann::json;
  json all = json::array();
  for (const Report &report : reports) {
    json origins = json::object();
    for (const auto &[name, url] : report.origins) origins[name] = url;
    all.push_back({{"profile", report.profile},
                   {"provider", report.provider},
                   {"state", report.state},
                   {"problems", report.problems},
                   {"not_run", report.not_run},
                   {"schemes", report.schemes},
                   {"origins", origins}});
  }
  print_json(all);
}

}  // namespace

int run_status(const Arguments &arguments) {
  if (!arguments.words.empty()) throw UsageError("status takes no argument; it tells of all profiles");
  std::vector<ProfileState> states = look_at_profiles(arguments.config);
  std::vector<Report> reports;
  for (ProfileState &state : states) reports.push_back(report_on(state));
  if (arguments.json) {
    tell_json(reports);
  } else {
    tell(reports);
  }
  return 0;
}

}  // namespace fleetauth::command
