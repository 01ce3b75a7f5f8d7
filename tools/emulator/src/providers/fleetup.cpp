// FleetUp: a JWT for an account's number, secret and API key; and the deprecated token of GET /token.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <mutex>

#include "../crypto.h"
#include "../json_members.h"
#include "../jwt.h"
#include "../provider.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t year_s = 365 * day_s;
// "Retrieve GPS data within a 24-hour time range"
constexpr std::int64_t max_gps_range_s = day_s;

struct Account {
  std::int64_t acct_id = 12345;
  std::string secret = "your-app-secret";
  std::string api_key = "demo-api-key";
  bool enterprise = false;

  std::string name() const { return std::to_string(acct_id); }
};

struct Settings {
  std::vector<Account> accounts{Account{}};
  std::int64_t lifetime_s = 3600;
  double min_interval_s = 0;  // 0: no throttling; the real service allows one call a second
  bool api_key_on_resources = true;
  std::int64_t same_token_margin_s = -1;  // from 0: hand out the same token while it is good for longer
};

Account parse_account(const json &source, const std::string &where) {
  Members members(source, where);
  Account account;
  const auto acct_id = members.integer("acctId", 1, INT64_MAX);
  if (!acct_id) members.fail("acctId", "a number");
  account.acct_id = *acct_id;
  account.secret = members.required_text("secret");
  account.api_key = members.required_text("api_key");
  account.enterprise = members.boolean("enterprise").value_or(false);
  members.finish();
  return account;
}

Response error(int status, const std::string &message) { return json_response(status, {{"message", message}}); }

// The number itself when JSON holds one without a fraction: 12345 and 12345.0 are the same number.
std::optional<std::int64_t> whole_number(const json &value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const auto number = value.get<double>();
  if (std::trunc(number) != number || std::fabs(number) > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<std::int64_t> whole_number(const std::string &text) {
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string session_jwt(const Account &account, std::int64_t issued_s, std::int64_t expires_s) {
  const json session = {{"accountId", account.acct_id}, {"roleType", 2},     {"clientAdminId", 35008},
                        {"clientAdminLang", 1},         {"locale", "en_US"}, {"operatorId", nullptr}};
  return make_jwt({{"sessionInfo", session}, {"sub", "FleetUp OpenAPI"}, {"iss", "FleetUp"}, {"exp", expires_s}, {"iat", issued_s}});
}

class FleetUp final : public Provider {
 public:
  explicit FleetUp(World &world) : world_(world) {
    add_route("POST", "/token", "token", &FleetUp::post_token);
    add_route("GET", "/token", "legacy token", &FleetUp::get_token);
    add_route("GET", "/devices", "resource", &FleetUp::get_devices);
    add_route("GET", "/gpsdata", "resource", &FleetUp::get_gps_data);
    add_route("GET", "/trips/ongoing-trips", "resource", &FleetUp::get_ongoing_trips);
    add_route("POST", "/gpsdata/device-last-location", "legacy resource", &FleetUp::post_last_location);
  }

  std::string name() const override { return "fleetup"; }
  std::map<std::string, std::string> base_paths() const override { return {{"api", base}}; }
  const std::vector<Route> &routes() const override { return routes_; }
  PublicNames public_names() const override { return {"acctId", "from", "to", "devId"}; }

  Response not_found(const Request &) const override { return error(404, "Not found"); }
  Response method_not_allowed(const Request &) const override { return error(405, "Method not allowed"); }

  std::vector<std::string> secrets() const override {
    std::vector<std::string> result;
    for (const Account &account : snapshot().accounts) {
      result.push_back(account.secret);
      result.push_back(account.api_key);
    }
    return result;
  }

  void configure(const json &source) override;
  json settings() const override;

 private:
  static constexpr const char *base = "/fleetup";

  void add_route(const char *method, const char *path, const char *flow, Response (FleetUp::*handler)(Exchange &)) {
    routes_.push_back({method, std::string(base) + path, flow, [this, handler](Exchange &exchange) { return (this->*handler)(exchange); }});
  }

  Settings snapshot() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  std::optional<Response> refuse_api_key(const Settings &settings, const Request &request) const;
  std::optional<Response> throttle(const Settings &settings, const Request &request);
  std::optional<Response> refuse_jwt(Exchange &exchange, bool enterprise_allowed);
  std::string issue(const Settings &settings, const Account &account, const std::string &kind, std::int64_t *expires_s);

  Response post_token(Exchange &exchange);
  Response get_token(Exchange &exchange);
  Response get_devices(Exchange &exchange);
  Response get_gps_data(Exchange &exchange);
  Response get_ongoing_trips(Exchange &exchange);
  Response post_last_location(Exchange &exchange);

  World &world_;
  std::vector<Route> routes_;
  mutable std::mutex mutex_;
  Settings settings_;
};

void FleetUp::configure(const json &source) {
  Settings next = snapshot();
  Members members(source, name());
  next.accounts = members.list("accounts", parse_account).value_or(next.accounts);
  next.lifetime_s = members.integer("lifetime_s", 1, year_s).value_or(next.lifetime_s);
  next.min_interval_s = members.number("min_interval_s", 0, day_s).value_or(next.min_interval_s);
  next.api_key_on_resources = members.boolean("api_key_on_resources").value_or(next.api_key_on_resources);
  next.same_token_margin_s = members.integer("same_token_margin_s", -1, year_s).value_or(next.same_token_margin_s);
  members.finish();
  const std::lock_guard lock(mutex_);
  settings_ = std::move(next);
}

json FleetUp::settings() const {
  const Settings settings = snapshot();
  json accounts = json::array();
  for (const Account &account : settings.accounts) {
    accounts.push_back({{"acctId", account.acct_id}, {"enterprise", account.enterprise}});
  }
  return {{"accounts", std::move(accounts)},
          {"lifetime_s", settings.lifetime_s},
          {"min_interval_s", settings.min_interval_s},
          {"api_key_on_resources", settings.api_key_on_resources},
          {"same_token_margin_s", settings.same_token_margin_s}};
}

std::optional<Response> FleetUp::refuse_api_key(const Settings &settings, const Request &request) const {
  const auto key = request.header("x-api-key");
  const bool known = key && std::any_of(settings.accounts.begin(), settings.accounts.end(),
                                        [&](const Account &account) { return equal_constant_time(account.api_key, *key); });
  if (known) return std::nullopt;
  return error(401, "Incorrect API key");
}

std::optional<Response> FleetUp::throttle(const Settings &settings, const Request &request) {
  const auto interval_ms = static_cast<std::int64_t>(settings.min_interval_s * 1000);
  const auto wait_s =
      world_.throttle.refuse("fleetup " + fingerprint(request.header("x-api-key").value_or("")), interval_ms, world_.clock.now_ms());
  if (!wait_s) return std::nullopt;
  Response response = error(429, "Too many requests");
  response.set_header("Retry-After", std::to_string(*wait_s));
  return response;
}

std::string FleetUp::issue(const Settings &settings, const Account &account, const std::string &kind, std::int64_t *expires_s) {
  const std::int64_t now = world_.clock.now_s();
  if (settings.same_token_margin_s >= 0) {
    if (auto same = world_.tokens.find_good(name(), kind, account.name(), now, settings.same_token_margin_s)) {
      *expires_s = same->expires_s;
      return same->value;
    }
  }
  *expires_s = now + settings.lifetime_s;
  std::string value = kind == "jwt" ? session_jwt(account, now, *expires_s) : random_hex(16);
  world_.tokens.add({value, name(), kind, account.name(), now, *expires_s});
  return value;
}

Response FleetUp::post_token(Exchange &exchange) {
  const Settings settings = snapshot();
  const Request &request = exchange.request;
  if (auto refusal = refuse_api_key(settings, request)) return *refusal;
  if (auto refusal = throttle(settings, request)) return *refusal;
  if (request.content_type() != "application/json") return error(400, "Content-Type must be application/json");
  const json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return error(400, "Request body must be a JSON object");
  if (!body.contains("acctId") || !body["acctId"].is_number()) return error(400, "acctId is required and must be a number");
  if (!body.contains("secret") || !body["secret"].is_string()) return error(400, "secret is required and must be a string");

  const auto acct_id = whole_number(body["acctId"]);
  if (acct_id) exchange.account(std::to_string(*acct_id));
  for (const Account &account : settings.accounts) {
    if (acct_id != account.acct_id || !equal_constant_time(account.secret, body["secret"].get<std::string>()) ||
        !equal_constant_time(account.api_key, *request.header("x-api-key"))) {
      continue;
    }
    std::int64_t expires_s = 0;
    const std::string token = issue(settings, account, "jwt", &expires_s);
    exchange.issued(token, expires_s);
    return json_response(200, {{"token", token}});
  }
  return error(401, "Incorrect acctId or secret");
}

Response FleetUp::get_token(Exchange &exchange) {
  const Settings settings = snapshot();
  const Request &request = exchange.request;
  if (auto refusal = refuse_api_key(settings, request)) return *refusal;
  if (auto refusal = throttle(settings, request)) return *refusal;
  const auto fields = parse_fields(request.query);
  const auto acct_text = fields ? single(*fields, "acctId") : std::nullopt;
  const auto secret = fields ? single(*fields, "secret") : std::nullopt;
  const auto acct_id = acct_text ? whole_number(*acct_text) : std::nullopt;
  if (!acct_id) return error(400, "acctId is required and must be a number");
  if (!secret) return error(400, "secret is required");

  exchange.account(std::to_string(*acct_id));
  for (const Account &account : settings.accounts) {
    if (acct_id != account.acct_id || !equal_constant_time(account.secret, *secret) ||
        !equal_constant_time(account.api_key, *request.header("x-api-key"))) {
      continue;
    }
    if (account.enterprise) return error(403, "Enterprise accounts must use POST /token");
    std::int64_t expires_s = 0;
    const std::string token = issue(settings, account, "legacy", &expires_s);
    exchange.issued(token, expires_s);
    return json_response(200, {{"token", token}, {"expireTime", expires_s}});
  }
  return error(401, "Incorrect acctId or secret");
}

std::optional<Response> FleetUp::refuse_jwt(Exchange &exchange, bool enterprise_allowed) {
  const Settings settings = snapshot();
  const Request &request = exchange.request;
  if (settings.api_key_on_resources) {
    if (auto refusal = refuse_api_key(settings, request)) return refusal;
  }
  if (auto refusal = throttle(settings, request)) return refusal;
  const auto token = credentials_of_scheme(request, "Bearer");
  if (!token) return error(401, "Token is missing");
  exchange.presented(*token);
  const TokenCheck check = world_.tokens.check(name(), "jwt", *token, world_.clock.now_s());
  exchange.account(check.account);
  if (check.state == TokenState::expired) return error(401, "Token is expired");
  if (check.state != TokenState::good) return error(401, "Incorrect token");
  const bool enterprise = std::any_of(settings.accounts.begin(), settings.accounts.end(),
                                      [&](const Account &account) { return account.name() == check.account && account.enterprise; });
  if (enterprise && !enterprise_allowed) return error(403, "Not available to enterprise accounts");
  return std::nullopt;
}

Response FleetUp::get_devices(Exchange &exchange) {
  if (auto refusal = refuse_jwt(exchange, /*enterprise_allowed=*/true)) return *refusal;
  return json_response(200, {{"data", json::array({{{"devId", "213GL2016004165"}, {"acctId", exchange.notes["account"]}},
                                                   {{"devId", "213GL2016004166"}, {"acctId", exchange.notes["account"]}}})}});
}

Response FleetUp::get_gps_data(Exchange &exchange) {
  if (auto refusal = refuse_jwt(exchange, /*enterprise_allowed=*/true)) return *refusal;
  const auto fields = parse_fields(exchange.request.query);
  if (!fields) return error(422, "The query is malformed");
  const std::int64_t now = world_.clock.now_s();
  const auto from = whole_number(single(*fields, "from").value_or(std::to_string(now - max_gps_range_s)));
  const auto to = whole_number(single(*fields, "to").value_or(std::to_string(now)));
  if (!from || !to || *from < 0 || *from > *to || *to - *from > max_gps_range_s) {
    return error(422, "from and to must be Unix seconds, in order, at most 24 hours apart");
  }
  return json_response(200,
                       {{"data", json::array({{{"devId", "213GL2016004165"}, {"time", *from}, {"lat", 37.3382}, {"lng", -121.8863}}})}});
}

Response FleetUp::get_ongoing_trips(Exchange &exchange) {
  if (auto refusal = refuse_jwt(exchange, /*enterprise_allowed=*/false)) return *refusal;
  return {204, {}, "", "", {}};
}

Response FleetUp::post_last_location(Exchange &exchange) {
  const Settings settings = snapshot();
  const Request &request = exchange.request;
  // The legacy clients send the key with every call, whatever the setting for JWT calls says.
  if (auto refusal = refuse_api_key(settings, request)) return *refusal;
  if (auto refusal = throttle(settings, request)) return *refusal;
  const auto token = request.header("token");
  if (!token || token->empty()) return error(401, "Token is missing");
  exchange.presented(*token);
  const TokenCheck check = world_.tokens.check(name(), "legacy", *token, world_.clock.now_s());
  exchange.account(check.account);
  if (check.state == TokenState::expired) return error(401, "Token is expired");
  if (check.state != TokenState::good) return error(401, "Incorrect token");

  if (request.content_type() != "application/json") return error(400, "Content-Type must be application/json");
  const json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return error(400, "Request body must be a JSON object");
  const auto acct_id = body.contains("acctId") ? whole_number(body["acctId"]) : std::nullopt;
  if (!acct_id) return error(422, "acctId is required and must be a number");
  if (std::to_string(*acct_id) != check.account) return error(403, "acctId is not the token's account");
  return json_response(200, {{"data", json::array({{{"devId", "213GL2016004165"}, {"lat", 37.3382}, {"lng", -121.8863}}})}});
}

}  // namespace

std::unique_ptr<Provider> make_fleetup(World &world) { return std::make_unique<FleetUp>(world); }

}  // namespace fleetauth::emulator
