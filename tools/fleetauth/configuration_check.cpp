#include "tools/fleetauth/configuration_check.h"

#include <utility>

#include "tools/fleetauth/console.h"

namespace fleetauth::command {

namespace {

/// The name of the environment variable that a parameter may be in, if any.
std::string variable_of(const Descriptor &descriptor, const std::string &option) {
  const auto found = descriptor["parameters"].find(option);
  return found == descriptor["parameters"].end() ? "" : found->value("env", "");
}

bool is_secret(const Descriptor &descriptor, const std::string &option) {
  const auto found = descriptor["parameters"].find(option);
  return found != descriptor["parameters"].end() && found->value("secret", false);
}

/// Only what the descriptor calls a parameter without a secret is shown: in a base URL or a proxy there may be one.
bool may_be_shown(const Descriptor &descriptor, const std::string &option) {
  return descriptor["parameters"].contains(option) && !is_secret(descriptor, option);
}

std::string how_to_give(const Arguments &arguments, const Setup &setup, const Descriptor &descriptor, const std::string &option) {
  const std::string variable = variable_of(descriptor, option);
  std::string ways = is_secret(descriptor, option) ? "--secret-file " + option + "=PATH" : as_flag(option) + " VALUE";
  if (!variable.empty())
    ways = "set the environment variable " + variable + ", or give " + ways;
  else
    ways = "give " + ways;
  if (arguments.profile) ways += ", or add " + option + " to the profile " + *arguments.profile + " in " + setup.profile_file;
  return ways;
}

}  // namespace

Finding configuration_problem(const std::string &seen, const std::string &next, fleetauth_status status) {
  return {State::Problem, "configuration", "", seen, next, status};
}

Findings check_options(const Setup &setup, const Descriptor &descriptor) {
  Findings findings;
  for (const auto &[name, source] : setup.sources) {
    const bool shown = may_be_shown(descriptor, name);
    const std::string value = shown ? " = " + setup.values.at(name) : is_secret(descriptor, name) ? " (secret)" : "";
    Finding &finding = findings.emplace_back(Finding{State::Ok, "configuration", "", name + value + ", from " + source});
    finding.data = {{"option", name}, {"source", source}, {"secret", is_secret(descriptor, name)}};
    if (has_value(setup.values, name)) continue;
    finding.state = State::Warning;
    finding.seen = name + " is empty, from " + source;
    finding.next = "an empty option counts as none: give it a value, or leave it out";
  }
  return findings;
}

Findings find_gaps(const Arguments &arguments, const Setup &setup, const Descriptor &descriptor) {
  Findings findings;
  for (const auto &[option, why] : setup.unreadable) {
    findings.push_back(configuration_problem(why, "correct where " + option + " is to be had from"));
  }
  for (const auto &[option, tried] : setup.missing) {
    Finding &finding =
        findings.emplace_back(configuration_problem(option + " is missing", how_to_give(arguments, setup, descriptor, option)));
    finding.data = {{"option", option}, {"variable", variable_of(descriptor, option)}};
  }
  return findings;
}

std::optional<Client> try_to_open(const Arguments &arguments, Setup setup, Findings &findings) {
  const std::string name = fleetauth_provider_name(setup.provider.get(), nullptr);
  try {
    return open_client(arguments, std::move(setup));
  } catch (const LibraryError &error) {
    findings.push_back(
        configuration_problem(error.what(), "correct that option; fleetauth providers show " + name + " lists them all", error.status));
    return std::nullopt;
  }
}

}  // namespace fleetauth::command
