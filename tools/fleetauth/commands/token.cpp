#include <nlohmann/json.hpp>

#include "tools/fleetauth/client.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/descriptor.h"

namespace fleetauth::command {

namespace {

int print_token(const Arguments &arguments, const Client &client) {
  const Token token = get_token(client, "GET", "");
  std::size_t size = 0;
  const std::uint8_t *bytes = fleetauth_token_secret(token.get(), &size);
  const std::string_view secret(reinterpret_cast<const char *>(bytes), size);
  const std::string fingerprint = fleetauth_token_fingerprint(token.get(), nullptr);
  const std::string scheme = fleetauth_token_scheme(token.get(), nullptr);
  const std::int64_t expires_in = fleetauth_token_expires_in_ms(token.get());
  const std::int64_t expires_at = fleetauth_token_expires_at_ms(token.get());

  if (arguments.json) {
    nlohmann::json json = {
        {"provider", fleetauth_provider_name(client.provider.get(), nullptr)}, {"scheme", scheme}, {"fingerprint", fingerprint}};
    json["expires_at"] = expires_at < 0 ? nlohmann::json() : nlohmann::json(instant(expires_at));
    json["expires_in_s"] = expires_in < 0 ? nlohmann::json() : nlohmann::json(expires_in / 1000);
    if (!arguments.info) json["token"] = secret;
    print_json(json);
  } else if (arguments.info) {
    print_table({{"provider", fleetauth_provider_name(client.provider.get(), nullptr)},
                 {"scheme", scheme},
                 {"token", fingerprint},
                 {"expires", expires_at < 0 ? "never" : instant(expires_at) + " (in " + duration(expires_in) + ")"}});
  } else {
    print_line(secret);
  }
  return 0;
}

}  // namespace

int run_token(const Arguments &arguments) {
  if (!arguments.words.empty()) throw UsageError("token takes no argument; for a URL's headers use fleetauth headers URL");
  return print_token(arguments, open_client(arguments));
}

int run_mint(const Arguments &arguments) {
  if (!arguments.words.empty()) throw UsageError("mint takes no argument; name claims with --claim-set NAME and --claim NAME=ID");
  const Client client = open_client(arguments);
  if (!descriptor_of(client.provider, client.values).contains("claims")) {
    throw UsageError(std::string(fleetauth_provider_name(client.provider.get(), nullptr)) +
                     " has no tokens for claims; use fleetauth token");
  }
  return print_token(arguments, client);
}

}  // namespace fleetauth::command
