#include <nlohmann/json.hpp>

#include "tools/fleetauth/abi.h"
#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/descriptor.h"
#include "tools/fleetauth/input.h"
#include "tools/fleetauth/text.h"

namespace fleetauth::command {

namespace {

using nlohmann::json;

json describe(const std::string &name) {
  json descriptor = json::parse(description(open_provider(name)));
  if (!descriptor.contains("parameters")) descriptor["parameters"] = json::object();
  return descriptor;
}

int list(const Arguments &arguments) {
  json all = json::array();
  std::vector<std::vector<std::string>> rows = {{"NAME", "TITLE", "PARAMETERS"}};
  for (const std::string &name : builtin_providers()) {
    const json descriptor = describe(name);
    std::string parameters;
    for (const auto &[parameter, about] : descriptor["parameters"].items()) parameters += (parameters.empty() ? "" : ", ") + parameter;
    all.push_back({{"name", name}, {"title", descriptor["title"]}});
    rows.push_back({name, descriptor["title"], parameters});
  }
  if (arguments.json) {
    print_json(all);
  } else {
    print_table(rows);
  }
  return 0;
}

/// What a claim set takes, such as "deliveryvehicleid, perhaps taskid".
std::string taken_by(const Descriptor &set) {
  std::string out;
  for (const auto &[member, before, between] : {std::tuple{"required", "", ", "}, {"one_of", "", " or "}, {"optional", "perhaps ", ", "}}) {
    if (set.contains(member))
      out += (out.empty() ? "" : ", ") + std::string(before) + joined(set[member].get<std::vector<std::string>>(), between);
  }
  return out.empty() ? "no ids" : out;
}

void show_claims(const Descriptor &claims) {
  print_line("\nClaim sets");
  std::vector<std::vector<std::string>> rows;
  const Descriptor sets = claims.value("sets", Descriptor::object());
  for (const auto &[set, about] : sets.items()) rows.push_back({"  " + set, taken_by(about), about.value("doc", "")});
  print_table(rows);
  print_line("\nClaims");
  rows.clear();
  for (const auto &[claim, about] : claims["names"].items()) {
    rows.push_back({"  " + claim, about.value("list", false) ? "ids" : "id", about.value("doc", "")});
  }
  print_table(rows);
}

int show(const Arguments &arguments, const std::string &name) {
  const Descriptor descriptor = descriptor_of(open_provider(name), {});
  if (arguments.json) {
    print_json(descriptor);
    return 0;
  }
  print_line(descriptor.value("title", name) + " (" + descriptor.value("name", name) + ")");
  print_line(descriptor.value("doc", ""));
  print_line("\nParameters");
  std::vector<std::vector<std::string>> rows;
  for (const auto &[parameter, about] : descriptor["parameters"].items()) {
    rows.push_back(
        {"  " + parameter, about.value("type", ""),
         std::string(about.value("required", false) ? "required" : "optional") + (about.value("secret", false) ? ", secret" : ""),
         about.value("env", ""), about.value("doc", "")});
  }
  print_table(rows);
  if (descriptor.contains("claims")) show_claims(descriptor["claims"]);
  print_line("\nOrigins");
  rows.clear();
  for (const auto &[origin, about] : descriptor["origins"].items()) {
    const std::string url = default_url(about);
    rows.push_back({"  " + origin, url.empty() ? "(each client gives its own)" : url, about.is_object() ? about.value("doc", "") : ""});
  }
  print_table(rows);
  print_line("\nSchemes");
  rows.clear();
  for (const auto &[scheme, about] : descriptor["schemes"].items()) rows.push_back({"  " + scheme, about.value("doc", "")});
  print_table(rows);
  print_line("\nAPI groups");
  rows.clear();
  for (const auto &[api, about] : descriptor["apis"].items()) {
    std::string schemes;
    for (const auto &scheme : about["schemes"]) schemes += (schemes.empty() ? "" : ", ") + scheme.get<std::string>();
    rows.push_back({"  " + api, about.value("path", ""), schemes, about.value("doc", "")});
  }
  print_table(rows);
  return 0;
}

int lint(const Arguments &arguments, const std::string &path) {
  const Provider provider = parse_provider(read_file(path), path);
  if (arguments.json) {
    print_json({{"file", path}, {"name", fleetauth_provider_name(provider.get(), nullptr)}, {"ok", true}});
  } else {
    print_line(path + ": ok");
  }
  return 0;
}

}  // namespace

int run_providers(const Arguments &arguments) {
  const auto &words = arguments.words;
  if (words.empty() || (words.size() == 1 && words[0] == "list")) return list(arguments);
  if (words.size() == 2 && words[0] == "show") return show(arguments, words[1]);
  if (words.size() == 2 && words[0] == "lint") return lint(arguments, words[1]);
  throw UsageError("use: fleetauth providers [list | show NAME|FILE | lint FILE]");
}

}  // namespace fleetauth::command
