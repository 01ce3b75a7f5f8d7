#include <nlohmann/json.hpp>

#include "tools/fleetauth/client.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"

namespace fleetauth::command {

namespace {

void no_words(const Arguments &arguments) {
  if (!arguments.words.empty()) throw UsageError(arguments.command + " takes no argument");
}

}  // namespace

int run_whoami(const Arguments &arguments) {
  no_words(arguments);
  const Client client = open_client(arguments);
  const Event event = inquire(client, FLEETAUTH_INQUIRY_IDENTITY);
  fleetauth_identity *handle = nullptr;
  check(fleetauth_event_identity, event.get(), &handle);
  const Identity identity(handle);
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  std::vector<std::vector<std::string>> table;
  for (std::int32_t i = 0; i < fleetauth_identity_count(handle); ++i) {
    const std::string name = fleetauth_identity_name(handle, i, nullptr);
    const std::string value = fleetauth_identity_value(handle, i, nullptr);
    json[name] = value;
    table.push_back({name, value});
  }
  if (arguments.json) {
    print_json(json);
  } else {
    print_table(table);
  }
  return 0;
}

int run_accounts(const Arguments &arguments) {
  no_words(arguments);
  const Client client = open_client(arguments);
  const Event event = inquire(client, FLEETAUTH_INQUIRY_ACCOUNTS);
  fleetauth_accounts *handle = nullptr;
  check(fleetauth_event_accounts, event.get(), &handle);
  const Accounts accounts(handle);
  nlohmann::json json = nlohmann::json::array();
  std::vector<std::vector<std::string>> table{{"ID", "NAME"}};
  for (std::int32_t i = 0; i < fleetauth_accounts_count(handle); ++i) {
    table.push_back({fleetauth_accounts_id(handle, i, nullptr), fleetauth_accounts_name(handle, i, nullptr)});
    json.push_back({{"id", table.back()[0]}, {"name", table.back()[1]}});
  }
  if (arguments.json) {
    print_json(json);
  } else {
    print_table(table);
  }
  return 0;
}

}  // namespace fleetauth::command
