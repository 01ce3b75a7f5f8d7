#include <nlohmann/json.hpp>

#include "tools/fleetauth/client.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/descriptor.h"

namespace fleetauth::command {

namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

/// What a login came to.
struct Outcome {
  std::string provider;
  Rows parameters;  ///< those given that are no secrets, and the account
  std::string scheme;
  bool asked_provider = false;  ///< false: the credentials are sent with every request as they are, or the token is made here
  bool made_here = false;
  bool code_asked = false;
  std::int64_t expires_at_ms = -1;
  std::int64_t expires_in_ms = -1;
  bool by_refresh_token = false;
  bool by_login = false;
  bool given_refresh_token_used = false;
  Rows identity;
};

Rows plain_parameters(const Descriptor &descriptor, const Values &values) {
  Rows rows;
  for (const auto &[name, about] : descriptor["parameters"].items()) {
    if (!about.value("secret", false) && has_value(values, name)) rows.emplace_back(name, values.at(name));
  }
  if (has_value(values, "account")) rows.emplace_back("account", values.at("account"));
  return rows;
}

void note_renewal(Outcome &outcome, const Descriptor &descriptor, const Values &values) {
  const Descriptor &credential = credential_of(descriptor, outcome.scheme);
  for (const std::string &step : steps_in(credential, "step")) {
    outcome.by_login = outcome.by_login || is_possible(descriptor["steps"][step], values);
  }
  const auto refresh = credential.find("refresh");
  outcome.by_refresh_token = refresh != credential.end();
  outcome.given_refresh_token_used = outcome.by_refresh_token && has_value(values, refresh->value("initial", ""));
}

/// Who the provider says it is. That it does not tell today does not undo the login.
Rows who(const Client &client) {
  Rows rows;
  try {
    const Event event = inquire(client, FLEETAUTH_INQUIRY_IDENTITY);
    fleetauth_identity *handle = nullptr;
    check(fleetauth_event_identity, event.get(), &handle);
    const Identity identity(handle);
    for (std::int32_t i = 0; i < fleetauth_identity_count(handle); ++i) {
      rows.emplace_back(fleetauth_identity_name(handle, i, nullptr), fleetauth_identity_value(handle, i, nullptr));
    }
  } catch (const LibraryError &error) {
    complain(std::string("logged in, but the provider did not tell who it is: ") + error.what());
  }
  return rows;
}

Outcome log_in(const Client &client) {
  const Descriptor descriptor = descriptor_of(client.provider, client.values);
  Outcome outcome;
  const Token token = get_token(client, "GET", "", &outcome.code_asked);
  outcome.provider = fleetauth_provider_name(client.provider.get(), nullptr);
  outcome.parameters = plain_parameters(descriptor, client.values);
  outcome.scheme = fleetauth_token_scheme(token.get(), nullptr);
  outcome.made_here = credential_of(descriptor, outcome.scheme)["flow"] == "signed_jwt";
  outcome.asked_provider = fleetauth_token_kind(token.get()) == FLEETAUTH_TOKEN_BEARER && !outcome.made_here;
  outcome.expires_at_ms = fleetauth_token_expires_at_ms(token.get());
  outcome.expires_in_ms = fleetauth_token_expires_in_ms(token.get());
  if (!outcome.asked_provider) return outcome;
  note_renewal(outcome, descriptor, client.values);
  if (!steps_in(credential_of(descriptor, outcome.scheme), "identity").empty()) outcome.identity = who(client);
  return outcome;
}

std::string renewal(const Outcome &outcome) {
  const std::string login = outcome.code_asked ? "another login, which may ask for a one-time code again" : "another login";
  if (!outcome.by_refresh_token) return "by " + login;
  return outcome.by_login ? "by a refresh token if the provider gave one, else by " + login : "by the refresh token";
}

void tell(const Outcome &outcome) {
  if (outcome.asked_provider) {
    print_line("Logged in to " + outcome.provider + ".\n");
  } else {
    const std::string why =
        outcome.made_here ? "the token is made here" : "the scheme " + outcome.scheme + " sends the credentials with every request";
    print_line("Nothing was asked of " + outcome.provider + ": " + why + ". Check that with fleetauth request URL.\n");
  }
  std::vector<std::vector<std::string>> table;
  for (const auto &[name, value] : outcome.parameters) table.push_back({name, value});
  table.push_back({"scheme", outcome.scheme});
  if (outcome.asked_provider || outcome.made_here) {
    const bool ends = outcome.expires_at_ms >= 0;
    table.push_back({"expires", ends ? instant(outcome.expires_at_ms) + " (in " + duration(outcome.expires_in_ms) + ")" : "never"});
    table.push_back({"renewal", outcome.made_here ? "by another signature" : renewal(outcome)});
  }
  for (const auto &[name, value] : outcome.identity) table.push_back({"who: " + name, value});
  print_table(table);
  if (outcome.given_refresh_token_used) {
    print_line("\nThe refresh token that was given has been used. Where the provider replaces it at each use, it is spent now.");
  }
}

void tell_json(const Outcome &outcome) {
  using nlohmann::json;
  const auto object = [](const Rows &rows) {
    json members = json::object();
    for (const auto &[name, value] : rows) members[name] = value;
    return members;
  };
  json ways = json::array();
  if (outcome.by_refresh_token) ways.push_back("refresh_token");
  if (outcome.by_login) ways.push_back("login");
  print_json(json{{"provider", outcome.provider},
                  {"parameters", object(outcome.parameters)},
                  {"scheme", outcome.scheme},
                  {"asked_provider", outcome.asked_provider},
                  {"code_asked", outcome.code_asked},
                  {"expires_at", outcome.expires_at_ms < 0 ? json() : json(instant(outcome.expires_at_ms))},
                  {"expires_in_s", outcome.expires_in_ms < 0 ? json() : json(outcome.expires_in_ms / 1000)},
                  {"renewal", ways},
                  {"identity", outcome.identity.empty() ? json() : object(outcome.identity)}});
}

}  // namespace

int run_login(const Arguments &arguments) {
  if (!arguments.words.empty()) throw UsageError("login takes no argument; name a profile with --profile or a provider with --provider");
  const Outcome outcome = log_in(open_client(arguments));
  if (arguments.json) {
    tell_json(outcome);
  } else {
    tell(outcome);
  }
  return 0;
}

}  // namespace fleetauth::command
