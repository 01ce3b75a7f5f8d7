// What one emulated provider is. A new provider is one file under providers/ and one line in all_providers().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http.h"
#include "redact.h"
#include "world.h"

namespace fleetauth::emulator {

// One request on its way through a provider, and what the log shall say about it.
struct Exchange {
  const Request &request;
  json notes = json::object();

  // The token that the answer hands out; only its fingerprint is kept.
  void issued(std::string_view token, std::int64_t expires_s);
  // The token that the request came with; only its fingerprint is kept.
  void presented(std::string_view token);
  // Whose request it is, as far as known; empty says nothing.
  void account(std::string_view name) {
    if (!name.empty()) notes["account"] = name;
  }
};

struct Route {
  std::string method;
  std::string path;  // whole path; "{name}" stands for one segment
  std::string flow;  // for the log: "token", "legacy token", "resource", ...
  std::function<Response(Exchange &)> handle;
};

class Provider {
 public:
  virtual ~Provider() = default;

  // As in fleetauth's own configuration: "fleetup".
  virtual std::string name() const = 0;
  // Name of the base URL -> path prefix, such as {"api", "/fleetup"}.
  virtual std::map<std::string, std::string> base_paths() const = 0;
  virtual const std::vector<Route> &routes() const = 0;

  virtual Response not_found(const Request &request) const = 0;
  virtual Response method_not_allowed(const Request &request) const = 0;

  // Members of queries and bodies whose values the log may show.
  virtual PublicNames public_names() const = 0;
  // Secrets of the configured accounts, to be kept out of the log wherever they turn up.
  virtual std::vector<std::string> secrets() const = 0;

  // Changes the settings that are given and leaves the others. All or nothing. Throws ConfigError.
  virtual void configure(const json &settings) = 0;
  // The settings, without secrets.
  virtual json settings() const = 0;
  // What else the tests of clients need: GET /_emulator/<provider>/<name> answers it, and no log shows it.
  virtual std::map<std::string, std::function<json()>> documents() const { return {}; }
};

std::vector<std::unique_ptr<Provider>> all_providers(World &world);

std::unique_ptr<Provider> make_fleet_engine(World &world);
std::unique_ptr<Provider> make_fleet_orchestrator(World &world);
std::unique_ptr<Provider> make_fleetio(World &world);
std::unique_ptr<Provider> make_fleetup(World &world);
std::unique_ptr<Provider> make_motive(World &world);
std::unique_ptr<Provider> make_my_connected_fleet(World &world);
std::unique_ptr<Provider> make_oauth2(World &world);
std::unique_ptr<Provider> make_samsara(World &world);
std::unique_ptr<Provider> make_tn360(World &world);
std::unique_ptr<Provider> make_trimble_maps(World &world);
std::unique_ptr<Provider> make_verizon_reveal(World &world);

}  // namespace fleetauth::emulator
