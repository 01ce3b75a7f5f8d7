// Motive and Teletrac Navman TN360: one static API key in a header, and nothing to renew.
#include <algorithm>
#include <mutex>

#include "../crypto.h"
#include "../json_members.h"
#include "../provider.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t day_s = 86'400;

struct Resource {
  const char *path;
  const char *answer;
};

// How one of these providers differs from the others.
struct Dialect {
  const char *name;
  const char *base;
  const char *default_key;
  std::optional<std::string> (*key_of)(const Request &);
  const char *error_member;
  std::vector<Resource> resources;
};

const Dialect &motive() {
  static const Dialect dialect{
      "motive",
      "/motive",
      "demo-motive-key",
      [](const Request &request) { return request.header("X-Api-Key"); },
      "error_message",
      {{"/v1/companies", R"({"companies":[{"company":{"id":1001,"name":"Demo Fleet","dot_ids":["0000000"]}}]})"},
       {"/v1/vehicles", R"({"vehicles":[{"vehicle":{"id":2001,"number":"VAN-1"}}],"pagination":{"per_page":25,"page_no":1,"total":1}})"}}};
  return dialect;
}

const Dialect &tn360() {
  static const Dialect dialect{"tn360",          "/tn360",
                               "demo-tn360-key", [](const Request &request) { return credentials_of_scheme(request, "Bearer"); },
                               "message",        {{"/v1/vehicles", R"([{"id":2001,"name":"Van 1","registration":"FL33 TUP"}])"}}};
  return dialect;
}

struct Settings {
  std::vector<std::string> api_keys;
  double min_interval_s = 0;
};

class StaticKey final : public Provider {
 public:
  StaticKey(World &world, const Dialect &dialect) : world_(world), dialect_(dialect), settings_{{dialect.default_key}} {
    for (const Resource &resource : dialect.resources) {
      routes_.push_back(
          {"GET", std::string(dialect.base) + resource.path, "resource", [this, answer = resource.answer](Exchange &exchange) {
             if (auto refusal = refuse(exchange)) return *refusal;
             return json_response(200, json::parse(answer));
           }});
    }
  }

  std::string name() const override { return dialect_.name; }
  std::map<std::string, std::string> base_paths() const override { return {{"api", dialect_.base}}; }
  const std::vector<Route> &routes() const override { return routes_; }
  PublicNames public_names() const override { return {}; }

  Response not_found(const Request &) const override { return error(404, "Not found"); }
  Response method_not_allowed(const Request &) const override { return error(405, "Method not allowed"); }

  std::vector<std::string> secrets() const override { return snapshot().api_keys; }

  void configure(const json &source) override;
  json settings() const override;

 private:
  Settings snapshot() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  Response error(int status, const std::string &message) const { return json_response(status, {{dialect_.error_member, message}}); }
  // Empty when the request may pass.
  std::optional<Response> refuse(Exchange &exchange);

  World &world_;
  const Dialect &dialect_;
  std::vector<Route> routes_;
  mutable std::mutex mutex_;
  Settings settings_;
};

void StaticKey::configure(const json &source) {
  Settings next = snapshot();
  Members members(source, name());
  next.api_keys = members.texts("api_keys").value_or(next.api_keys);
  if (std::any_of(next.api_keys.begin(), next.api_keys.end(), [](const std::string &key) { return key.empty(); })) {
    members.fail("api_keys", "an array of strings which are not empty");
  }
  next.min_interval_s = members.number("min_interval_s", 0, day_s).value_or(next.min_interval_s);
  members.finish();
  const std::lock_guard lock(mutex_);
  settings_ = std::move(next);
}

json StaticKey::settings() const {
  const Settings settings = snapshot();
  return {{"api_keys", settings.api_keys.size()}, {"min_interval_s", settings.min_interval_s}};
}

std::optional<Response> StaticKey::refuse(Exchange &exchange) {
  const Settings settings = snapshot();
  const auto key = dialect_.key_of(exchange.request);
  if (!key) return error(401, "API key is missing");
  exchange.presented(*key);
  const bool known = std::any_of(settings.api_keys.begin(), settings.api_keys.end(),
                                 [&](const std::string &each) { return equal_constant_time(each, *key); });
  if (!known) return error(401, "Incorrect API key");
  const auto interval_ms = static_cast<std::int64_t>(settings.min_interval_s * 1000);
  const auto wait_s = world_.throttle.refuse(name() + " " + fingerprint(*key), interval_ms, world_.clock.now_ms());
  if (!wait_s) return std::nullopt;
  Response response = error(429, "Too many requests");
  response.set_header("Retry-After", std::to_string(*wait_s));
  return response;
}

}  // namespace

std::unique_ptr<Provider> make_motive(World &world) { return std::make_unique<StaticKey>(world, motive()); }
std::unique_ptr<Provider> make_tn360(World &world) { return std::make_unique<StaticKey>(world, tn360()); }

}  // namespace fleetauth::emulator
