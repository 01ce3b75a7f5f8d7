#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/fleetauth/client.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/descriptor.h"

namespace fleetauth::command {

namespace {

/// The credential that the client logs in with.
const Descriptor &credential_in_use(const Client &client, const Descriptor &descriptor) {
  if (has_value(client.values, "scheme")) return credential_of(descriptor, client.values.at("scheme"));
  const std::vector<std::string> schemes = usable_schemes(client.provider, descriptor, client.values);
  const auto with_token = std::find_if(schemes.begin(), schemes.end(), [&](const std::string &scheme) {
    return credential_of(descriptor, scheme).value("flow", "") == "exchange";
  });
  return credential_of(descriptor, with_token == schemes.end() ? schemes.front() : *with_token);
}

/// The steps that revoke a refresh token.
std::vector<Descriptor> revocations(const Descriptor &descriptor, const Descriptor &credential) {
  std::vector<Descriptor> steps;
  for (const std::string &name : steps_in(credential, "revoke")) {
    const Descriptor &step = descriptor["steps"][name];
    if (step.dump().find("\"$refresh_token\"") != std::string::npos) steps.push_back(step);
  }
  return steps;
}

std::string missing_for(const Descriptor &step, const Values &values) {
  std::string names;
  for (const std::string &name : step.value("needs", std::vector<std::string>())) {
    if (!has_value(values, name)) names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

void tell(const Arguments &arguments, const std::string &provider, const std::string &revoked, const std::string &reason) {
  if (!arguments.json) {
    print_line(revoked.empty() ? "Nothing was revoked: " + reason + "."
                               : "The " + revoked + " is revoked at " + provider + ". Take it out of the configuration.");
    return;
  }
  nlohmann::json json = {{"provider", provider}, {"revoked", nlohmann::json::array()}};
  if (!revoked.empty()) json["revoked"].push_back(revoked);
  if (!reason.empty()) json["reason"] = reason;
  print_json(json);
}

}  // namespace

int run_logout(const Arguments &arguments) {
  if (!arguments.words.empty()) throw UsageError("logout takes no argument; name a profile with --profile or a provider with --provider");
  const Client client = open_client(arguments);
  const std::string provider = fleetauth_provider_name(client.provider.get(), nullptr);
  const Descriptor descriptor = descriptor_of(client.provider, client.values);
  const Descriptor &credential = credential_in_use(client, descriptor);

  const auto refresh = credential.find("refresh");
  const std::string given = refresh == credential.end() ? "" : refresh->value("initial", "");
  if (!has_value(client.values, given)) {
    const bool can = credential.contains("revoke");
    tell(arguments, provider, "",
         can ? "the client logs in without a refresh token, and no token is kept between commands"
             : provider + " has no way to revoke what the client logs in with");
    return 0;
  }
  const std::vector<Descriptor> steps = revocations(descriptor, credential);
  if (steps.empty()) throw LibraryError(FLEETAUTH_E_UNSUPPORTED, provider + " has no way to revoke the " + given);
  const auto possible = [&](const Descriptor &step) { return is_possible(step, client.values); };
  if (std::none_of(steps.begin(), steps.end(), possible)) {
    throw SetupError("the " + given + " is not revoked: " + provider + " needs " + missing_for(steps.front(), client.values) + " for that");
  }
  log_out(client);
  tell(arguments, provider, given, "");
  return 0;
}

}  // namespace fleetauth::command
