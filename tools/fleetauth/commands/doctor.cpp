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
#include "tools/fleetauth/configuration_check.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/descriptor.h"
#include "tools/fleetauth/diagnosis.h"
#include "tools/fleetauth/http.h"
#include "tools/fleetauth/login_check.h"
#include "tools/fleetauth/proxy.h"
#include "tools/fleetauth/text.h"

namespace fleetauth::command {

namespace {

using nlohmann::ordered_json;

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

/// Keys are pinned for token requests, and those go nowhere but to the origins of the steps.
bool has_steps(const Descriptor &descriptor, const std::string &origin) {
  const Descriptor steps = descriptor.value("steps", Descriptor::object());
  return std::any_of(steps.begin(), steps.end(), [&](const Descriptor &step) { return step.value("origin", "") == origin; });
}

std::vector<Origin> origins_of(const Descriptor &descriptor, const Values &options) {
  std::vector<Origin> origins;
  const auto urls = base_urls(descriptor, options);
  for (const auto &[name, url] : urls) {
    const std::string option = urls.size() == 1 && !has_value(options, name + "_base_url") ? "base_url" : name + "_base_url";
    const std::string pins = has_steps(descriptor, name) ? text(options, "pinned_public_key") : "";
    origins.push_back({name, url, option, has_value(options, option), pins});
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

// ---------------------------------------------------------------- all of it

void append(Findings &findings, Findings more) {
  for (Finding &finding : more) findings.push_back(std::move(finding));
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
  append(findings, check_options(setup, descriptor));
  Findings wrong = find_gaps(arguments, setup, descriptor);
  std::optional<Client> client;
  if (wrong.empty()) client = try_to_open(arguments, std::move(setup), wrong);
  append(findings, std::move(wrong));

  Network network;
  network.http = http_settings(values);
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
  findings.push_back(check_login(arguments, client, descriptor, origins));
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
