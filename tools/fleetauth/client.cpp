#include "tools/fleetauth/client.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tools/fleetauth/console.h"
#include "tools/fleetauth/profile.h"

namespace fleetauth::command {

namespace {

using nlohmann::json;

bool is_secret(const json &parameters, const std::string &name) {
  const auto found = parameters.find(name);
  return found != parameters.end() && found->value("secret", false);
}

std::string flag_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

void refuse_secrets_in_arguments(const Arguments &arguments, const json &parameters) {
  for (const auto &[name, value] : arguments.client_options) {
    if (!is_secret(parameters, name)) continue;
    const std::string env = parameters[name].value("env", "");
    throw UsageError(flag_of(name) + " is a secret: other users can read command lines. Give it by " +
                     (env.empty() ? "" : "the environment variable " + env + ", ") + "--secret-file " + name +
                     "=PATH, --secret-stdin " + name + ", or a profile");
  }
}

/// All that was given, the nearest source first: command line, files and standard input, profile, environment, a question.
std::map<std::string, std::string> gather(const Arguments &arguments, const Profile &profile, const json &parameters) {
  std::map<std::string, std::string> options = arguments.client_options;
  for (const auto &[name, path] : arguments.secret_files) {
    std::string value = read_file(path);
    while (value.ends_with('\n') || value.ends_with('\r')) value.pop_back();
    options.emplace(name, std::move(value));
  }
  for (const std::string &name : arguments.secrets_from_stdin) options.emplace(name, read_line_from_stdin(name));
  for (const auto &[name, value] : profile.options) options.emplace(name, value);
  for (const auto &[name, parameter] : parameters.items()) {
    if (options.contains(name)) continue;
    const std::string env = parameter.value("env", "");
    if (const char *value = env.empty() ? nullptr : std::getenv(env.c_str())) {
      options.emplace(name, value);
    } else if (parameter.value("secret", false) && parameter.value("required", false) && can_ask()) {
      options.emplace(name, ask_secret(name));
    }
  }
  return options;
}

}  // namespace

Client open_client(const Arguments &arguments) {
  Profile profile;
  if (arguments.profile) profile = read_profile(*arguments.profile, arguments.config);
  const std::string name = arguments.provider.value_or(profile.provider);
  if (name.empty()) {
    throw UsageError("name a provider with --provider (see fleetauth providers list) or a profile with --profile");
  }

  Client client;
  client.provider = open_provider(name);
  const json descriptor = json::parse(description(client.provider));
  const json parameters = descriptor.value("parameters", json::object());
  refuse_secrets_in_arguments(arguments, parameters);

  const Options options = new_options();
  for (const auto &[option, value] : gather(arguments, profile, parameters)) set_option(options, option, value);
  client.runtime = shared_runtime();
  fleetauth_client *handle = nullptr;
  check(fleetauth_client_new, client.runtime.get(), client.provider.get(), options.get(), &handle);
  client.handle.reset(handle);

  const Options request_options = new_options();
  if (arguments.api) set_option(request_options, "api", *arguments.api);
  fleetauth_request *request = nullptr;
  check(fleetauth_request_new, handle, request_options.get(), &request);
  client.request.reset(request);
  return client;
}

Token get_token(const Client &client, const std::string &method, const std::string &url) {
  fleetauth_token *token = nullptr;
  check(fleetauth_client_token, client.handle.get(), client.request.get(), method.c_str(), method.size(),
        url.empty() ? nullptr : url.c_str(), url.size(), &token);
  return Token(token);
}

}  // namespace fleetauth::command
