#include "tools/fleetauth/client.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tools/fleetauth/client_options.gen.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/descriptor.h"
#include "tools/fleetauth/input.h"
#include "tools/fleetauth/profile.h"

namespace fleetauth::command {

namespace {

using nlohmann::json;

/// What a provider's client can be given.
struct Description {
  std::string provider;
  json parameters;
  json claims;                         ///< those that tokens may be for, by name
  std::vector<std::string> base_urls;  ///< base_url, or one for each of several origins

  [[nodiscard]] bool is_secret(const std::string &name) const {
    const auto found = parameters.find(name);
    return found != parameters.end() && found->value("secret", false);
  }
  [[nodiscard]] std::vector<std::string_view> option_names() const {
    std::vector<std::string_view> names(base_urls.begin(), base_urls.end());
    for (auto parameter = parameters.begin(); parameter != parameters.end(); ++parameter) names.push_back(parameter.key());
    for (const ClientOption &option : kClientOptions) {
      if (option.name != "base_url") names.push_back(option.name);
    }
    return names;
  }
};

/// A patch of the descriptor may bring parameters, secret ones too.
Description describe(const Provider &provider, const Values &options) {
  const std::string name = fleetauth_provider_name(provider.get(), nullptr);
  Descriptor descriptor = descriptor_of(provider, options);
  if (has_value(options, "descriptor_patch")) (void)parse_provider(descriptor.dump(), name);
  Description about{name, descriptor["parameters"], json::object(), {"base_url"}};
  if (descriptor.contains("claims")) about.claims = descriptor["claims"]["names"];
  for (const auto &[origin, url] : descriptor["origins"].items()) about.base_urls.push_back(origin + "_base_url");
  return about;
}

void refuse_secrets(const Arguments &arguments, const Description &about) {
  const auto proxy = arguments.client_options.find("proxy");
  if (proxy != arguments.client_options.end() && proxy->second.find('@') != std::string::npos) {
    throw UsageError("--proxy with an @ may hold a password, and other users can read command lines: give it by HTTPS_PROXY or a profile");
  }
  for (const auto &[name, value] : arguments.client_options) {
    if (!about.is_secret(name)) continue;
    const std::string env = about.parameters[name].value("env", "");
    throw UsageError(as_flag(name) + " is a secret, and other users can read command lines: give it by " +
                     (env.empty() ? "" : "the environment variable " + env + ", ") + "--secret-file " + name + "=PATH, --secret-stdin " +
                     name + ", or a profile");
  }
}

void refuse_unknown(const Arguments &arguments, const Description &about) {
  const auto known = about.option_names();
  for (const auto &[name, value] : arguments.client_options) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw UsageError(about.provider + " has no option " + as_flag(name) + suggest_flag(name, known));
  }
}

/// What the environment variables of the parameters have.
Values environment_of(const json &parameters) {
  Values values;
  for (const auto &[name, parameter] : parameters.items()) {
    const std::string env = parameter.value("env", "");
    const char *value = env.empty() ? nullptr : std::getenv(env.c_str());
    if (value != nullptr && *value != '\0') values.emplace(name, value);
  }
  return values;
}

/// What was tried for an option that nothing has.
std::string missing(const std::string &name, const json &parameter, const Arguments &arguments, const Description &about) {
  const bool secret = parameter.value("secret", false);
  std::string tried = secret ? "--secret-file and --secret-stdin (not given)" : as_flag(name) + " (not given)";
  if (arguments.profile) tried += ", the profile " + *arguments.profile + " (has none)";
  if (const std::string env = parameter.value("env", ""); !env.empty()) tried += ", the environment variable " + env + " (not set)";
  if (secret) tried += ", the terminal (there is none)";
  return about.provider + " needs " + name + ". Tried: " + tried;
}

void add(Setup &setup, const std::string &name, std::string value, const std::string &source) {
  if (setup.values.emplace(name, std::move(value)).second) setup.sources[name] = source;
}

void add_secret_files(Setup &setup, const Arguments &arguments) {
  for (const std::string &text : arguments.secret_files) {
    const auto [name, path] = name_and_value("secret-file", text);
    try {
      add(setup, name, read_secret_file(path), "the file " + path);
    } catch (const SetupError &error) {
      setup.unreadable.emplace(name, error.what());
    }
  }
}

/// Asks for the secrets that are missing; nobody is asked in vain.
void complete(Setup &setup, const Arguments &arguments, const Description &about) {
  std::vector<std::string> to_ask;
  for (const auto &[name, parameter] : about.parameters.items()) {
    if (setup.values.contains(name) || setup.unreadable.contains(name) || !parameter.value("required", false)) continue;
    if (parameter.value("secret", false) && can_ask()) {
      to_ask.push_back(name);
    } else {
      setup.missing.emplace(name, missing(name, parameter, arguments, about));
    }
  }
  if (!setup.missing.empty() || !setup.unreadable.empty()) return;
  for (const std::string &name : to_ask) add(setup, name, ask_secret(name), "the terminal");
}

/// All that was given, the nearest source first: command line, files and standard input, profile, environment, a question.
void add_all(Setup &setup, const Arguments &arguments, const Profile &profile, const Description &about) {
  for (const auto &[name, value] : arguments.client_options) add(setup, name, value, "the command line");
  add_secret_files(setup, arguments);
  for (const std::string &text : arguments.secret_stdins) {
    const std::string name = as_option(text);
    add(setup, name, read_line_from_stdin(name), "standard input");
  }
  for (const auto &[name, value] : profile.options) add(setup, name, value, "the profile");
  setup.unreadable.insert(profile.unreadable.begin(), profile.unreadable.end());
  for (const auto &[name, value] : environment_of(about.parameters)) {
    add(setup, name, value, "the environment variable " + about.parameters[name].value("env", ""));
  }
  complete(setup, arguments, about);
}

bool is_of_request(const std::string &name) {
  const ClientOption *option = client_option(name);
  return option != nullptr && option->of_request;
}

bool is_of_client(const std::string &name, const Description &about, const Values &of_request) {
  return !is_of_request(name) || (about.parameters.contains(name) && !of_request.contains(name));
}

/// The claims as the library takes them. Names that there are not are for the library to refuse.
std::string claims_of(const std::vector<std::string> &words, const Description &about) {
  json claims = json::object();
  for (const std::string &text : words) {
    auto [name, id] = name_and_value("claim", text);
    const auto rule = about.claims.find(name);
    if (rule != about.claims.end() && rule->value("list", false)) {
      claims[name].push_back(std::move(id));
    } else if (claims.contains(name)) {
      throw UsageError("--claim " + name + " is given twice, and takes one id");
    } else {
      claims[name] = std::move(id);
    }
  }
  try {
    return claims.dump();
  } catch (const json::exception &) {
    throw UsageError("--claim takes ids in UTF-8");
  }
}

/// What the command line names for its request alone.
Values named_for_request(const Arguments &arguments, const Description &about) {
  Values named;
  for (const auto &[name, value] : arguments.client_options) {
    if (is_of_request(name)) named.emplace(name, value);
  }
  if (arguments.claims.empty()) return named;
  if (named.contains("claims")) throw UsageError("--claim and --claims exclude each other");
  named.emplace("claims", claims_of(arguments.claims, about));
  return named;
}

/// Starts an operation and waits for its event.
template <class Start>
Event wait_for(const Client &client, const Start &start) {
  fleetauth_queue *queue_handle = nullptr;
  check(fleetauth_queue_new, client.runtime.get(), FLEETAUTH_QUEUE_SYNC, &queue_handle);
  const Queue queue(queue_handle);
  fleetauth_op *op = nullptr;
  check([&](fleetauth_error **error) { return start(queue_handle, &op, error); });
  const Op owner(op);
  fleetauth_event *event = nullptr;
  check(fleetauth_queue_next, queue_handle, std::int64_t{-1}, &event);
  return Event(event);
}

/// Sends codes until one is accepted. People may mistype; a command that prints a wrong code will print it again.
void answer(const Client &client, const Challenge &challenge) {
  const int attempts = client.otp_command.empty() ? 3 : 1;
  for (int left = attempts; left > 0; --left) {
    const Secret code(client.otp_command.empty() ? ask_secret("one-time code") : first_line_of(client.otp_command, "--otp-from"));
    const Event event = wait_for(client, [&](fleetauth_queue *queue, fleetauth_op **op, fleetauth_error **error) {
      return fleetauth_client_answer(client.handle.get(), challenge.get(), reinterpret_cast<const std::uint8_t *>(code.text().data()),
                                     code.text().size(), queue, 0, op, error);
    });
    try {
      fleetauth_token *token = nullptr;
      check(fleetauth_event_token, event.get(), &token);
      fleetauth_token_unref(token);
      return;
    } catch (const LibraryError &error) {
      if (error.status != FLEETAUTH_E_OTP_REJECTED || left == 1) throw;
      complain(error.what());
    }
  }
}

std::string provider_of(const Arguments &arguments, const Profile &profile) {
  if (arguments.provider) return *arguments.provider;
  if (!profile.provider.empty()) return profile.provider;
  const auto &options = arguments.client_options;
  throw UsageError("name a provider with --provider (fleetauth providers lists them) or a profile with --profile" +
                   (options.empty() ? "" : suggest_flag(options.begin()->first, {})));
}

}  // namespace

void add_environment(Values &values, const Provider &provider) { values.merge(environment_of(describe(provider, values).parameters)); }

Options client_options(const Provider &provider, const Values &values, const Values &of_request) {
  const Description about = describe(provider, values);
  Options options = new_options();
  for (const auto &[name, value] : values) {
    if (is_of_client(name, about, of_request)) set_option(options, name, value);
  }
  return options;
}

ClientHandle new_client(const Runtime &runtime, const Provider &provider, const Options &options) {
  fleetauth_client *handle = nullptr;
  check(fleetauth_client_new, runtime.get(), provider.get(), options.get(), &handle);
  return ClientHandle(handle);
}

HttpSettings http_settings(const Values &values) {
  const auto value = [&](const char *name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
  const std::string http = value("allow_loopback_http");
  return {value("ca_file"), value("ca_pem"), values.contains("proxy") ? value("proxy") : "env", http == "true" || http == "1"};
}

Setup gather(const Arguments &arguments) {
  Profile profile;
  if (arguments.profile) profile = read_profile(*arguments.profile, arguments.config);

  Setup setup;
  setup.provider = open_provider(provider_of(arguments, profile));
  setup.profile_file = profile.file;
  Values patch;
  for (const auto *options : {static_cast<const std::map<std::string, std::string> *>(&profile.options), &arguments.client_options}) {
    if (const auto found = options->find("descriptor_patch"); found != options->end()) patch.insert_or_assign(found->first, found->second);
  }
  const Description about = describe(setup.provider, patch);
  refuse_secrets(arguments, about);
  refuse_unknown(arguments, about);
  add_all(setup, arguments, profile, about);
  return setup;
}

Client open_client(const Arguments &arguments, Setup setup) {
  for (const auto *wrong : {&setup.unreadable, &setup.missing}) {
    if (!wrong->empty()) throw SetupError(wrong->begin()->second);
  }
  Client client;
  client.provider = std::move(setup.provider);
  client.values = std::move(setup.values);
  client.http = http_settings(client.values);
  client.otp_command = arguments.otp_from.value_or("");

  const Description about = describe(client.provider, client.values);
  client.runtime = shared_runtime();
  const Values named = named_for_request(arguments, about);
  client.handle = new_client(client.runtime, client.provider, client_options(client.provider, client.values, named));
  const Options request_options = new_options();
  for (const auto &[name, value] : client.values) {
    if (!is_of_client(name, about, named) && !named.contains(name)) set_option(request_options, name, value);
  }
  for (const auto &[name, value] : named) set_option(request_options, name, value);
  fleetauth_request *request = nullptr;
  check(fleetauth_request_new, client.handle.get(), request_options.get(), &request);
  client.request.reset(request);
  return client;
}

Client open_client(const Arguments &arguments) { return open_client(arguments, gather(arguments)); }

Token get_token_without_code(const Client &client, const std::string &method, const std::string &url) {
  fleetauth_token *token = nullptr;
  check(fleetauth_client_token, client.handle.get(), client.request.get(), method.c_str(), method.size(),
        url.empty() ? nullptr : url.c_str(), url.size(), &token);
  return Token(token);
}

Token get_token(const Client &client, const std::string &method, const std::string &url, bool *asked_for_code) {
  try {
    return get_token_without_code(client, method, url);
  } catch (const LibraryError &error) {
    if (error.challenge == nullptr) throw;
    if (asked_for_code != nullptr) *asked_for_code = true;
    if (client.otp_command.empty() && !can_ask()) {
      throw LibraryError(error.status, std::string(error.what()) + ". Nobody can be asked here: give --otp-from COMMAND");
    }
    answer(client, *error.challenge);
  }
  return get_token_without_code(client, method, url);
}

Event inquire(const Client &client, std::int32_t what) {
  (void)get_token(client, "GET", "");  // whatever a login asks for is asked here
  return wait_for(client, [&](fleetauth_queue *queue, fleetauth_op **op, fleetauth_error **error) {
    return fleetauth_client_inquire(client.handle.get(), client.request.get(), what, queue, 0, op, error);
  });
}

void log_out(const Client &client) {
  const Event event = wait_for(client, [&](fleetauth_queue *queue, fleetauth_op **op, fleetauth_error **error) {
    return fleetauth_client_logout(client.handle.get(), queue, 0, op, error);
  });
  check(fleetauth_event_result, event.get());
}

}  // namespace fleetauth::command
