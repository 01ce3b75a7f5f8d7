#include <nlohmann/json.hpp>

#include "tools/fleetauth/client.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"

namespace fleetauth::command {

int run_headers(const Arguments &arguments) {
  if (arguments.words.size() != 1) throw UsageError("use: fleetauth headers URL");
  const Client client = open_client(arguments);
  const Token token = get_token(client, arguments.method.value_or("GET"), arguments.words[0]);
  nlohmann::json json = nlohmann::json::object();
  for (std::int32_t i = 0; i < fleetauth_token_header_count(token.get()); ++i) {
    const std::string name = fleetauth_token_header_name(token.get(), i, nullptr);
    const std::string value = fleetauth_token_header_value(token.get(), i, nullptr);
    json[name] = value;
    if (!arguments.json) print_line(name + ": " + value);
  }
  if (arguments.json) print_json(json);
  return 0;
}

}  // namespace fleetauth::command
