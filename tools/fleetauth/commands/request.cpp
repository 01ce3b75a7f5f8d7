#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tools/fleetauth/client.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/failure.h"
#include "tools/fleetauth/http.h"
#include "tools/fleetauth/input.h"

namespace fleetauth::command {

namespace {

constexpr long kUnauthorized = 401;
constexpr long kFirstFailure = 400;

/// What to exit with for the provider's answer to the request.
int exit_status_for(long status) {
  switch (status) {
    case kUnauthorized:
    case 403:
      return exit_status_of("AccessDenied");
    case 429:
      return exit_status_of("RateLimited");
    default:
      if (status >= 500) return exit_status_of("ProviderUnavailable");
      return status < kFirstFailure ? 0 : exit_status_of("FleetAuthError");
  }
}

HttpAnswer send_authorised(const Client &client, HttpCall call, const Token &token) {
  for (std::int32_t i = 0; i < fleetauth_token_header_count(token.get()); ++i) {
    call.headers.emplace_back(fleetauth_token_header_name(token.get(), i, nullptr), fleetauth_token_header_value(token.get(), i, nullptr));
  }
  if (call.body) call.headers.emplace_back("Content-Type", "application/json");
  HttpAnswer answer = send(call, client.http);
  for (auto &[name, value] : call.headers) wipe(value);
  return answer;
}

/// True when the refused token was given up for a new one, with which the request may be repeated once.
bool worth_repeating(const Client &client, const Token &token, const HttpAnswer &refusal) {
  std::int32_t advice = FLEETAUTH_ADVICE_STOP;
  check(fleetauth_client_report_rejected, client.handle.get(), fleetauth_token_slot(token.get()), fleetauth_token_generation(token.get()),
        static_cast<std::int32_t>(kUnauthorized), refusal.date.data(), refusal.date.size(), &advice);
  return advice == FLEETAUTH_ADVICE_RETRY;
}

}  // namespace

int run_request(const Arguments &arguments) {
  if (arguments.words.size() != 1) throw UsageError("use: fleetauth request URL");
  HttpCall call;
  call.url = arguments.words[0];
  call.method = arguments.method.value_or(arguments.data ? "POST" : "GET");
  if (arguments.data) call.body = arguments.data->starts_with("@") ? read_file(arguments.data->substr(1)) : *arguments.data;

  const Client client = open_client(arguments);
  Token token = get_token(client, call.method, call.url);
  HttpAnswer answer = send_authorised(client, call, token);
  bool repeated = false;
  if (answer.status == kUnauthorized && worth_repeating(client, token, answer)) {
    token = get_token(client, call.method, call.url);
    answer = send_authorised(client, call, token);
    repeated = true;
  }
  if (arguments.json) {
    print_json({{"status", answer.status}, {"repeated", repeated}, {"body", answer.body}});
  } else {
    complain("HTTP " + std::to_string(answer.status) + (repeated ? ", after the token was renewed" : ""));
    print(answer.body);
    if (::isatty(STDOUT_FILENO) == 1 && !answer.body.ends_with('\n')) print("\n");
  }
  return exit_status_for(answer.status);
}

}  // namespace fleetauth::command
