// Fleetio: a static API key in the scheme "Token", and the account in a header of its own.
#include <algorithm>
#include <mutex>

#include "../crypto.h"
#include "../json_members.h"
#include "../provider.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t day_s = 86'400;

struct Key {
  std::string api_key = "demo-fleetio-key";
  std::vector<std::string> accounts{"demo-account"};
};

struct Settings {
  std::vector<Key> keys{Key{}};
  double min_interval_s = 0;
};

Key parse_key(const json &source, const std::string &where) {
  Members members(source, where);
  Key key;
  key.api_key = members.required_text("api_key");
  key.accounts = members.texts("accounts").value_or(key.accounts);
  members.finish();
  return key;
}

Response error(int status, const std::string &message) { return json_response(status, {{"status", status}, {"error", message}}); }

class Fleetio final : public Provider {
 public:
  explicit Fleetio(World &world) : world_(world) {
    add_route("GET", "/api/v1/users/me", &Fleetio::get_me);
    add_route("GET", "/api/v1/vehicles", &Fleetio::get_vehicles);
  }

  std::string name() const override { return "fleetio"; }
  std::map<std::string, std::string> base_paths() const override { return {{"api", base}}; }
  const std::vector<Route> &routes() const override { return routes_; }
  PublicNames public_names() const override { return {}; }

  Response not_found(const Request &) const override { return error(404, "Not Found"); }
  Response method_not_allowed(const Request &) const override { return error(405, "Method Not Allowed"); }

  std::vector<std::string> secrets() const override {
    std::vector<std::string> result;
    for (const Key &key : snapshot().keys) result.push_back(key.api_key);
    return result;
  }

  void configure(const json &source) override;
  json settings() const override;

 private:
  static constexpr const char *base = "/fleetio";

  void add_route(const char *method, const char *path, Response (Fleetio::*handler)(Exchange &)) {
    routes_.push_back(
        {method, std::string(base) + path, "resource", [this, handler](Exchange &exchange) { return (this->*handler)(exchange); }});
  }

  Settings snapshot() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  // Empty when the request may pass.
  std::optional<Response> refuse(Exchange &exchange);

  Response get_me(Exchange &exchange);
  Response get_vehicles(Exchange &exchange);

  World &world_;
  std::vector<Route> routes_;
  mutable std::mutex mutex_;
  Settings settings_;
};

void Fleetio::configure(const json &source) {
  Settings next = snapshot();
  Members members(source, name());
  next.keys = members.list("keys", parse_key).value_or(next.keys);
  next.min_interval_s = members.number("min_interval_s", 0, day_s).value_or(next.min_interval_s);
  members.finish();
  const std::lock_guard lock(mutex_);
  settings_ = std::move(next);
}

json Fleetio::settings() const {
  const Settings settings = snapshot();
  json keys = json::array();
  for (const Key &key : settings.keys) keys.push_back({{"accounts", key.accounts}});
  return {{"keys", std::move(keys)}, {"min_interval_s", settings.min_interval_s}};
}

Response access_denied() {
  Response response = text_response(401, "HTTP Token: Access denied.");
  response.set_header("WWW-Authenticate", "Token realm=\"Application\"");
  return response;
}

std::optional<Response> Fleetio::refuse(Exchange &exchange) {
  const Settings settings = snapshot();
  const auto authorization = exchange.request.header("Authorization");
  // The word as documented, and one space: a Bearer token or "token" in lower case is no key.
  if (!authorization || !authorization->starts_with("Token ")) return access_denied();
  const std::string presented = authorization->substr(6);
  exchange.presented(presented);
  const auto key = std::find_if(settings.keys.begin(), settings.keys.end(),
                                [&](const Key &each) { return equal_constant_time(each.api_key, presented); });
  if (key == settings.keys.end()) return access_denied();

  const auto account = exchange.request.header("Account-Token");
  if (!account || std::find(key->accounts.begin(), key->accounts.end(), *account) == key->accounts.end()) {
    return Response{403, {}, "", "", {}};
  }
  exchange.account(*account);
  const auto interval_ms = static_cast<std::int64_t>(settings.min_interval_s * 1000);
  const auto wait_s = world_.throttle.refuse("fleetio " + fingerprint(presented), interval_ms, world_.clock.now_ms());
  if (!wait_s) return std::nullopt;
  Response response = error(429, "Too Many Requests");
  response.set_header("Retry-After", std::to_string(*wait_s));
  return response;
}

Response Fleetio::get_me(Exchange &exchange) {
  if (auto refusal = refuse(exchange)) return *refusal;
  return json_response(200, {{"id", 1001}, {"email", "demo@example.com"}, {"first_name", "Demo"}, {"last_name", "User"}});
}

Response Fleetio::get_vehicles(Exchange &exchange) {
  if (auto refusal = refuse(exchange)) return *refusal;
  return json_response(200, {{"records", json::array({{{"id", 2001}, {"name", "Van 1"}, {"vin", "1FTBR1C89LKA00001"}}})},
                             {"next_cursor", nullptr},
                             {"per_page", 50}});
}

}  // namespace

std::unique_ptr<Provider> make_fleetio(World &world) { return std::make_unique<Fleetio>(world); }

}  // namespace fleetauth::emulator
