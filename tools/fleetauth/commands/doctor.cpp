#include <link.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/clock_skew.h"
#include "tools/fleetauth/client.h"
#include "tools/fleetauth/client_options.gen.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/descriptor.h"
#include "tools/fleetauth/diagnosis.h"
#include "tools/fleetauth/failure.h"
#include "tools/fleetauth/http.h"
#include "tools/fleetauth/proxy.h"

namespace fleetauth::command {

namespace {

using nlohmann::ordered_json;

std::string joined(const std::vector<std::string> &texts) {
  std::string out;
  for (const std::string &text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

// ---------------------------------------------------------------- library

/// The shared libraries of this process that hold another curl or OpenSSL.
std::vector<std::string> other_libraries() {
  std::vector<std::string> found;
  const auto look = [](dl_phdr_info *info, std::size_t /*size*/, void *list) {
    const std::string path = info->dlpi_name;
    const std::string name = path.substr(path.rfind('/') + 1);
    const bool other = name.starts_with("libcurl") || name.starts_with("libssl") || name.starts_with("libcrypto");
    if (other) static_cast<std::vector<std::string> *>(list)->push_back(path);
    return 0;
  };
  ::dl_iterate_phdr(look, &found);
  return found;
}

Finding library() {
  std::istringstream linked(fleetauth_dependencies(nullptr));
  Finding finding{State::Ok, "library", "", std::string("fleetauth ") + fleetauth_version(nullptr)};
  ordered_json versions;
  std::string inside;
  for (std::string name, version; linked >> name >> version;) {
    inside += (inside.empty() ? "" : ", ") + name + " " + version;
    versions[name] = version;
  }
  const std::vector<std::string> others = other_libraries();
  finding.seen +=
      " with " + inside + ", " + (others.empty() ? "all linked into it; the system's are not used" : "and also loaded: " + joined(others));
  if (!others.empty()) {
    finding.state = State::Warning;
    finding.next = "something (LD_PRELOAD?) loads other copies: begin without it";
  }
  finding.data = {{"version", fleetauth_version(nullptr)}, {"linked", versions}, {"static", others.empty()}};
  return finding;
}

// ---------------------------------------------------------------- configuration

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

Findings options_of(const Setup &setup, const Descriptor &descriptor) {
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

Finding configuration_problem(const std::string &seen, const std::string &next, fleetauth_status status = FLEETAUTH_E_CONFIG) {
  return {State::Problem, "configuration", "", seen, next, status};
}

/// What is wrong with a configuration before the library sees it.
Findings gaps(const Arguments &arguments, const Setup &setup, const Descriptor &descriptor) {
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

// ---------------------------------------------------------------- network

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The default stands in for a value that the library refuses.
std::int64_t duration_of(const Values &values, const char *option) {
  const auto given = values.find(option);
  const std::int64_t value = given == values.end() ? 0 : number(given->second);
  return value > 0 ? value : number(client_option(option)->default_text);
}

std::string text(const Values &values, const char *name) { return has_value(values, name) ? values.at(name) : ""; }

/// Fills in the authorities, and tells of them.
Finding authorities(Network &network) {
  try {
    network.trust = load_trust(network.http);
    Finding finding{State::Ok, "ca", "", network.trust->source + ": " + std::to_string(network.trust->certificates) + " certificates"};
    finding.data = {{"source", network.trust->source}, {"certificates", network.trust->certificates}};
    return finding;
  } catch (const LibraryError &error) {
    const bool system = network.http.ca_file.empty() && network.http.ca_pem.empty();
    return {State::Problem,
            "ca",
            "",
            error.what(),
            system ? "install the package ca-certificates, or set ca_file to a PEM file of CA certificates"
                   : "give a PEM file (-----BEGIN CERTIFICATE-----) that this user can read, or leave the option out for the system's",
            error.status};
  }
}

/// Fills in the proxy. What is used is told for each origin; here only that none can be.
Findings proxy_problem(Network &network) {
  try {
    network.proxy = choose_proxy(network.http.proxy);
    return {};
  } catch (const SetupError &error) {
    return {{State::Problem, "proxy", "", error.what(), "correct it, or give --proxy none to do without", FLEETAUTH_E_CONFIG}};
  }
}

std::vector<Origin> origins_of(const Descriptor &descriptor, const Values &options) {
  std::vector<Origin> origins;
  const auto urls = base_urls(descriptor, options);
  for (const auto &[name, url] : urls) {
    const std::string option = urls.size() == 1 && !has_value(options, name + "_base_url") ? "base_url" : name + "_base_url";
    origins.push_back({name, url, option, has_value(options, option)});
  }
  return origins;
}

// ---------------------------------------------------------------- clock

/// What a wrong clock does to this provider's tokens.
std::string harm(const Descriptor &descriptor, const Values &options, ClockSkew skew) {
  std::string harms = "certificates may seem expired or not yet valid";
  bool absolute = false;
  const Descriptor steps = descriptor.value("steps", Descriptor::object());
  for (const auto &[name, step] : steps.items()) {
    for (const auto &expiry : step.value("expiry", Descriptor::array())) {
      absolute = absolute || !(expiry.contains("seconds") || expiry.contains("fixed_s"));
    }
  }
  for (const auto &[name, credential] : descriptor["credentials"].items()) {
    const bool token = credential.value("flow", "") == "signed_jwt";
    const bool code = has_value(options, credential.value("totp", ""));
    if (!token && !code) continue;
    harms += std::string("; ") + (token ? "tokens" : "one-time codes") + " made here are for this machine's time";
    harms += skew == ClockSkew::Correctable
                 ? " until an answer of the provider tells its own: then the library follows that, after one refused request at most"
                 : ", which is too far off for the library to follow the provider's: they are refused";
  }
  return absolute ? harms + "; expiries given as a time are right only by the Date of the answer that brings them" : harms;
}

Finding clock(const Diagnosis &origin, const Descriptor &descriptor, const Values &options) {
  const std::int64_t ahead = origin.clock->ahead_ms;
  const std::int64_t off = std::abs(ahead);
  const ClockSkew skew = clock_skew(ahead, origin.clock->took_ms);
  Finding finding{State::Ok, "clock", origin.origin, ""};
  finding.data = {{"ahead_s", ahead / 1000}};
  if (skew == ClockSkew::None) {
    finding.seen = "this machine's clock agrees with the provider's (within " + duration(std::max<std::int64_t>(off, 2000)) + ")";
    return finding;
  }
  finding.seen = "this machine's clock is " + duration(off) + (ahead > 0 ? " ahead of" : " behind") +
                 " the provider's: " + harm(descriptor, options, skew);
  finding.next = "set this machine's clock (timedatectl set-ntp true); if it is right, tell the provider";
  finding.state = skew == ClockSkew::Correctable ? State::Warning : State::Problem;
  if (finding.state == State::Problem) finding.status = FLEETAUTH_E_CONFIG;
  return finding;
}

Findings clocks(const std::vector<Diagnosis> &origins, const Descriptor &descriptor, const Values &options) {
  Findings findings;
  for (const Diagnosis &origin : origins) {
    if (origin.clock) findings.push_back(clock(origin, descriptor, options));
  }
  if (findings.empty()) findings.push_back({State::Skipped, "clock", "", "no origin answered with a Date to compare with"});
  return findings;
}

// ---------------------------------------------------------------- credentials

Finding credentials(State state, std::string seen, std::string next = "", fleetauth_status status = FLEETAUTH_OK) {
  return {state, "credentials", "", std::move(seen), std::move(next), status};
}

/// What to do about a login that failed; `totp` is the option that its one-time code is made from, if any.
std::string advice(const LibraryError &error, const std::string &totp) {
  if (error.in_doubt) {
    return "do not repeat this yet: it may have been carried out, though no proper answer came. Look at the provider first (a new login, "
           "a locked account)";
  }
  switch (error.status) {
    case FLEETAUTH_E_INVALID_CREDENTIALS:
      return "do not repeat this with the same credentials: many providers lock an account after a few refusals. Compare each with what "
             "the provider issued (a stray space, another account, a test key), or have new ones issued";
    case FLEETAUTH_E_LOGIN_REQUIRED:
      return "do not repeat this: the refresh token is used up, revoked or expired; have a new one issued";
    case FLEETAUTH_E_OTP_REJECTED:
    case FLEETAUTH_E_OTP_OVER:
      if (totp.empty()) return "do not repeat this with the same code; take the next one";
      return "the code was made from " + totp + ": check that it is this account's and the newest, and that the clock above is right";
    case FLEETAUTH_E_ACCESS_DENIED:
      return "the credentials are known, but may not do this: ask the provider for the permission";
    case FLEETAUTH_E_RATE_LIMITED:
      return "wait" + (error.retry_after_ms > 0 ? " " + duration(error.retry_after_ms) : " a while") + ", then run this again";
    case FLEETAUTH_E_PROTOCOL:
    case FLEETAUTH_E_TOO_LARGE:
      return "check that the base URL is that of the provider's API, with its path; a portal or proxy may have answered in its place";
    default:
      if (error.retryable) return "try again later; if it stays so, ask the provider";
      if (class_of(error.status) == "ConfigurationError") return "correct it, and run this again";
      return "nothing says that another try would end otherwise: ask the provider, or report it as a fault of fleetauth";
  }
}

Finding failed_login(const LibraryError &error, const std::string &totp) {
  Finding finding = credentials(State::Problem, error.what(), advice(error, totp), error.status);
  if (error.http_status != 0) finding.data["http_status"] = error.http_status;
  if (!error.provider_code.empty()) finding.data["provider_code"] = error.provider_code;
  return finding;
}

/// What would be asked of the provider.
struct Plan {
  std::string scheme;
  std::string why_not;  ///< empty: a login
  std::string totp;     ///< the option that one-time codes are made from, if one has a value
  std::vector<std::string> origins;
};

Plan plan_login(const Client &client, const Descriptor &descriptor) {
  const auto schemes = usable_schemes(client.provider, descriptor, client.values);
  Plan plan{has_value(client.values, "scheme") ? client.values.at("scheme") : schemes.empty() ? "" : schemes[0], "", "", {}};
  if (plan.scheme.empty() || !descriptor["schemes"].contains(plan.scheme)) return plan;
  const Descriptor &credential = credential_of(descriptor, plan.scheme);
  if (const std::string totp = credential.value("totp", ""); has_value(client.values, totp)) plan.totp = totp;
  if (credential["flow"] == "basic" || credential["flow"] == "static_header") {
    plan.why_not = "the scheme " + plan.scheme + " has no login, the credentials go with every request: fleetauth request URL checks them";
  }
  for (const std::string &step : steps_in(credential, "step")) plan.origins.push_back(descriptor["steps"][step].value("origin", ""));
  const auto refresh = credential.find("refresh");
  if (refresh == credential.end()) return plan;
  plan.origins.push_back(descriptor["steps"][refresh->at("step").get<std::string>()].value("origin", ""));
  if (has_value(client.values, refresh->value("initial", ""))) {
    plan.why_not = "a login would use the refresh token, which is spent then where the provider replaces it: fleetauth login does it";
  }
  return plan;
}

Finding log_in(const Arguments &arguments, const Client &client, const Descriptor &descriptor, const Plan &plan) {
  try {
    bool code_asked = false;
    const Token token = arguments.otp_from ? get_token(client, "GET", "", &code_asked) : get_token_without_code(client, "GET", "");
    const std::string scheme = fleetauth_token_scheme(token.get(), nullptr);
    const Descriptor &credential = credential_of(descriptor, scheme);
    const bool made_here = credential["flow"] == "signed_jwt";
    const std::int64_t left = fleetauth_token_expires_in_ms(token.get());
    std::string seen = made_here ? "a token was made here; the provider sees it only with a request: fleetauth request URL checks it"
                                 : "the provider accepted them";
    if (code_asked) seen += ", with the one-time code";
    if (!plan.totp.empty()) seen += "; a one-time code of " + plan.totp + " was used if it was asked for";
    seen += left < 0 ? "; the token does not expire" : "; the token is good for " + duration(left);
    Finding finding = credentials(State::Ok, seen);
    finding.data = {
        {"scheme", scheme}, {"code_asked", code_asked}, {"expires_in_s", left < 0 ? ordered_json() : ordered_json(left / 1000)}};
    return finding;
  } catch (const LibraryError &error) {
    if (error.challenge == nullptr || arguments.otp_from) return failed_login(error, plan.totp);
    Finding finding = credentials(State::Warning, "the provider accepted them, and asks for a one-time code; none was sent",
                                  "that is as it should be; to try a code too, give --otp-from COMMAND, which prints it");
    finding.data = {{"scheme", plan.scheme}, {"code_asked", true}};
    return finding;
  } catch (const SetupError &error) {
    return credentials(State::Problem, error.what(), "correct the command of --otp-from", FLEETAUTH_E_CONFIG);
  }
}

Finding check_credentials(const Arguments &arguments, const std::optional<Client> &client, const Descriptor &descriptor,
                          const std::vector<Diagnosis> &origins) {
  if (arguments.no_login) return credentials(State::Skipped, "left out by --no-login");
  if (!client) return credentials(State::Skipped, "the configuration is not complete");
  const Plan plan = plan_login(*client, descriptor);
  if (!plan.why_not.empty()) return credentials(State::Skipped, plan.why_not);
  for (const Diagnosis &origin : origins) {
    const bool needed = std::find(plan.origins.begin(), plan.origins.end(), origin.origin) != plan.origins.end();
    if (needed && !origin.reachable)
      return credentials(State::Skipped, "the login needs the origin " + origin.origin + ", which was not reached");
  }
  return log_in(arguments, *client, descriptor, plan);
}

// ---------------------------------------------------------------- all of it

void append(Findings &findings, Findings more) {
  for (Finding &finding : more) findings.push_back(std::move(finding));
}

/// Tells what the library says of a configuration that is complete.
std::optional<Client> open(const Arguments &arguments, Setup setup, Findings &findings) {
  const std::string name = fleetauth_provider_name(setup.provider.get(), nullptr);
  try {
    return open_client(arguments, std::move(setup));
  } catch (const LibraryError &error) {
    findings.push_back(
        configuration_problem(error.what(), "correct that option; fleetauth providers show " + name + " lists them all", error.status));
    return std::nullopt;
  }
}

void skip_the_rest(Findings &findings) {
  for (const char *check : {"clock", "proxy", "ca", "lookup", "connection", "tls", "reachability", "credentials"}) {
    findings.push_back({State::Skipped, check, "", "the configuration cannot be read"});
  }
}

/// The values, once more: the client keeps its own.
Values copy_of(const Values &values) {
  Values copy;
  for (const auto &[name, value] : values) copy.emplace(name, value);
  return copy;
}

struct Report {
  std::string provider;
  Findings findings;
};

Report examine(const Arguments &arguments) {
  Report report;
  Findings &findings = report.findings;
  findings.push_back(library());
  Setup setup;
  try {
    setup = gather(arguments);
  } catch (const SetupError &error) {
    findings.push_back(configuration_problem(error.what(), "correct that, then run this again"));
    skip_the_rest(findings);
    return report;
  } catch (const LibraryError &error) {
    findings.push_back(configuration_problem(error.what(), "fleetauth providers lists those that there are", error.status));
    skip_the_rest(findings);
    return report;
  }

  report.provider = fleetauth_provider_name(setup.provider.get(), nullptr);
  const Values values = copy_of(setup.values);
  const Descriptor descriptor = descriptor_of(setup.provider, values);
  const std::string from =
      arguments.profile ? ", with the profile " + *arguments.profile + " of " + setup.profile_file : "; no profile is named";
  findings.push_back({State::Ok, "configuration", "", "provider " + report.provider + from});
  append(findings, options_of(setup, descriptor));
  Findings wrong = gaps(arguments, setup, descriptor);
  std::optional<Client> client;
  if (wrong.empty()) client = open(arguments, std::move(setup), wrong);
  append(findings, std::move(wrong));

  Network network;
  network.http = http_settings(values);
  network.pins = text(values, "pinned_public_key");
  network.patience = {duration_of(values, "connect_timeout_ms"), duration_of(values, "attempt_timeout_ms")};
  Findings proxies = proxy_problem(network);
  Finding ca = authorities(network);
  std::vector<Diagnosis> origins;
  for (const Origin &origin : origins_of(descriptor, values)) origins.push_back(diagnose(origin, network));

  append(findings, clocks(origins, descriptor, values));
  append(findings, std::move(proxies));
  for (const Diagnosis &origin : origins) findings.push_back(origin.proxy);
  findings.push_back(std::move(ca));
  for (const Diagnosis &origin : origins) append(findings, origin.steps);
  findings.push_back(check_credentials(arguments, client, descriptor, origins));
  return report;
}

}  // namespace

int run_doctor(const Arguments &arguments) {
  if (!arguments.words.empty()) throw UsageError("doctor takes no argument; name a profile with --profile or a provider with --provider");
  const Report report = examine(arguments);
  const int status = exit_status_of(report.findings);
  if (arguments.json) {
    const auto or_null = [](const std::string &name) { return name.empty() ? ordered_json() : ordered_json(name); };
    print_json(ordered_json{{"provider", or_null(report.provider)},
                            {"profile", or_null(arguments.profile.value_or(""))},
                            {"ok", status == 0},
                            {"exit_status", status},
                            {"findings", as_json(report.findings)}});
  } else {
    tell(report.findings);
  }
  return status;
}

}  // namespace fleetauth::command
