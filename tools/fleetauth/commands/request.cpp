#include <nlohmann/json.hpp>

#include "tools/fleetauth/client.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/http.h"

namespace fleetauth::command {

namespace {

constexpr long kUnauthorized = 401;
constexpr long kFirstFailure = 400;
/// What `request` exits with when the provider answered 4xx or 5xx.
constexpr int kExitRefused = 5;

std::string option(const Arguments &arguments, const std::string &name) {
  const auto found = arguments.client_options.find(name);
  return found == arguments.client_options.end() ? "" : found->second;
}

HttpAnswer send_authorised(const Arguments &arguments, HttpCall call, const Token &token) {
  for (std::int32_t i = 0; i < fleetauth_token_header_count(token.get()); ++i) {
    call.headers.emplace_back(fleetauth_token_header_name(token.get(), i, nullptr),
                              fleetauth_token_header_value(token.get(), i, nullptr));
  }
  if (arguments.data) {
    call.body = arguments.data->starts_with("@") ? read_file(arguments.data->substr(1)) : *arguments.data;
    call.headers.emplace_back("Content-Type", "application/json");
  }
  return send(call);
}

/// True when the refused token was given up for a new one, with which the request may be repeated once.
bool worth_repeating(const Client &client, const Token &token) {
  std::int32_t advice = FLEETAUTH_ADVICE_STOP;
  check(fleetauth_client_report_rejected, client.handle.get(), fleetauth_token_slot(token.get()),
        fleetauth_token_generation(token.get()), static_cast<std::int32_t>(kUnauthorized), &advice);
  return advice == FLEETAUTH_ADVICE_RETRY;
}

}  // namespace

int run_request(const Arguments &arguments) {
  if (arguments.words.size() != 1) throw UsageError("request takes one URL");
  HttpCall call;
  call.url = arguments.words[0];
  call.method = arguments.method.value_or(arguments.data ? "POST" : "GET");
  call.ca_file = option(arguments, "ca_file");
  call.allow_http = option(arguments, "allow_loopback_http") == "true";

  const Client client = open_client(arguments);
  Token token = get_token(client, call.method, call.url);
  HttpAnswer answer = send_authorised(arguments, call, token);
  bool repeated = false;
  if (answer.status == kUnauthorized && worth_repeating(client, token)) {
    token = get_token(client, call.method, call.url);
    answer = send_authorised(arguments, call, token);
    repeated = true;
  }
  if (arguments.json) {
    print_json({{"status", answer.status}, {"repeated", repeated}, {"body", answer.body}});
  } else {
    complain(std::to_string(answer.status) + (repeated ? " (after one renewal of the token)" : ""));
    if (!answer.body.empty()) print_line(answer.body);
  }
  return answer.status < kFirstFailure ? 0 : kExitRefused;
}

}  // namespace fleetauth::command
