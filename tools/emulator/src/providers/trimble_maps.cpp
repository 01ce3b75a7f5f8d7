// Trimble Maps (fleets, CoPilot): a JWT for an API key; partners then ask for one token an account.
#include <algorithm>
#include <mutex>

#include "../crypto.h"
#include "../json_members.h"
#include "../jwt.h"
#include "../provider.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t year_s = 365 * day_s;
constexpr std::int64_t max_accounts = 100'000;
constexpr const char *account_kind = "account jwt";
constexpr const char *partner_kind = "partner jwt";

struct Account {
  std::string id;
  std::string name;
};

struct Key {
  std::string api_key;
  bool partner = false;
  std::vector<Account> accounts;  // of a direct customer: its own one

  // Whom a partner-level token is given to; the key itself is a secret.
  std::string partner_name() const { return "partner " + fingerprint(api_key); }
  bool has_account(const std::string &id) const {
    return std::any_of(accounts.begin(), accounts.end(), [&](const Account &account) { return account.id == id; });
  }
};

std::vector<Account> numbered_accounts(std::int64_t count) {
  std::vector<Account> accounts;
  for (std::int64_t i = 1; i <= count; ++i) accounts.push_back({"FLTACC" + std::to_string(i), "Fleet Account " + std::to_string(i)});
  return accounts;
}

struct Settings {
  std::vector<Key> keys{{"demo-partner-key", /*partner=*/true, numbered_accounts(2)},
                        {"demo-fleet-key", /*partner=*/false, {{"FLTDEMO", "Demo Fleet"}}}};
  std::int64_t lifetime_s = 3600;
  std::string expires_style = "z";
  std::string error_style = "error_object";
  double min_interval_s = 0;

  const Key *key(const std::string &api_key) const {
    const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key &key) { return equal_constant_time(key.api_key, api_key); });
    return found == keys.end() ? nullptr : &*found;
  }
};

Account parse_account(const json &source, const std::string &where) {
  Members members(source, where);
  Account account;
  account.id = members.required_text("AccountId");
  account.name = members.text("AccountName").value_or(account.id);
  members.finish();
  return account;
}

Key parse_key(const json &source, const std::string &where) {
  Members members(source, where);
  Key key;
  key.api_key = members.required_text("api_key");
  key.partner = members.boolean("partner").value_or(false);
  auto accounts = members.each("accounts", parse_account);
  const auto count = members.integer("account_count", 1, max_accounts);
  if (accounts && count) members.fail("account_count", "absent when there are accounts");
  key.accounts = accounts ? std::move(*accounts) : numbered_accounts(count.value_or(key.partner ? 2 : 1));
  if (key.accounts.empty()) members.fail("accounts", "an array with at least one account");
  if (!key.partner && key.accounts.size() != 1) members.fail("accounts", "the one account of a direct customer");
  members.finish();
  return key;
}

// The documented style, and what else date-times look like.
std::string spelled_expires(const std::string &style, std::int64_t unix_ms) {
  constexpr std::int64_t offset_ms = 330 * 60'000;
  std::string utc = iso8601(unix_ms);
  std::string no_zone = utc.substr(0, utc.size() - 1);
  if (style == "no_zone") return no_zone;
  if (style == "seven_digits") return no_zone + "0000Z";
  if (style == "no_fraction") return no_zone.substr(0, no_zone.find('.')) + "Z";
  if (style == "offset") {
    const std::string local = iso8601(unix_ms + offset_ms);
    return local.substr(0, local.size() - 1) + "+05:30";
  }
  return utc;
}

// Of the calls under /accounts no error body is known; the first style is that of the fleet's resources.
Response error(const Settings &settings, int status, const std::string &message) {
  if (settings.error_style == "text") return text_response(status, message);
  if (settings.error_style == "error_object") return json_response(status, {{"error", {{"message", message}, {"code", -status}}}});
  return json_response(status, {{settings.error_style, message}});
}

class TrimbleMaps final : public Provider {
 public:
  explicit TrimbleMaps(World &world) : world_(world) {
    add_route("POST", "/accounts/authenticate", "authenticate", &TrimbleMaps::post_authenticate);
    add_route("GET", "/accounts", "accounts", &TrimbleMaps::get_accounts);
    add_route("GET", "/vehicles", "resource", &TrimbleMaps::get_vehicles);
  }

  std::string name() const override { return "trimble_maps"; }
  std::map<std::string, std::string> base_paths() const override { return {{"api", base}}; }
  const std::vector<Route> &routes() const override { return routes_; }
  PublicNames public_names() const override { return {"accountId"}; }

  Response not_found(const Request &) const override { return error(*snapshot(), 404, "Not found"); }
  Response method_not_allowed(const Request &) const override { return error(*snapshot(), 405, "Method not allowed"); }

  std::vector<std::string> secrets() const override {
    std::vector<std::string> result;
    for (const Key &key : snapshot()->keys) result.push_back(key.api_key);
    return result;
  }

  void configure(const json &source) override;
  json settings() const override;

 private:
  static constexpr const char *base = "/trimble";

  struct Caller {
    std::string account;  // empty: see `refusal`
    bool partner = false;
    Response refusal{};
  };

  void add_route(const char *method, const char *path, const char *flow, Response (TrimbleMaps::*handler)(Exchange &)) {
    routes_.push_back({method, std::string(base) + path, flow, [this, handler](Exchange &exchange) { return (this->*handler)(exchange); }});
  }

  // Shared, not copied: there may be very many accounts.
  std::shared_ptr<const Settings> snapshot() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  std::optional<Response> throttle(const Settings &settings, const std::string &who);
  Caller caller(const Settings &settings, Exchange &exchange);

  Response post_authenticate(Exchange &exchange);
  Response get_accounts(Exchange &exchange);
  Response get_vehicles(Exchange &exchange);

  World &world_;
  std::vector<Route> routes_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Settings> settings_ = std::make_shared<const Settings>();
};

void TrimbleMaps::configure(const json &source) {
  Settings next = *snapshot();
  Members members(source, name());
  next.keys = members.each("keys", parse_key).value_or(next.keys);
  if (next.keys.empty()) members.fail("keys", "an array with at least one key");
  next.lifetime_s = members.integer("lifetime_s", 1, year_s).value_or(next.lifetime_s);
  next.expires_style =
      members.one_of("expires_style", {"z", "no_zone", "seven_digits", "no_fraction", "offset"}).value_or(next.expires_style);
  next.error_style = members.one_of("error_style", {"error_object", "message", "Message", "text"}).value_or(next.error_style);
  next.min_interval_s = members.number("min_interval_s", 0, day_s).value_or(next.min_interval_s);
  members.finish();
  const std::lock_guard lock(mutex_);
  settings_ = std::make_shared<const Settings>(std::move(next));
}

json TrimbleMaps::settings() const {
  const auto settings = snapshot();
  json keys = json::array();
  for (const Key &key : settings->keys) {
    const std::string name = key.partner ? key.partner_name() : key.accounts.front().id;
    keys.push_back({{"name", name}, {"partner", key.partner}, {"account_count", key.accounts.size()}});
  }
  return {{"keys", std::move(keys)},
          {"lifetime_s", settings->lifetime_s},
          {"expires_style", settings->expires_style},
          {"error_style", settings->error_style},
          {"min_interval_s", settings->min_interval_s}};
}

std::optional<Response> TrimbleMaps::throttle(const Settings &settings, const std::string &who) {
  const auto interval_ms = static_cast<std::int64_t>(settings.min_interval_s * 1000);
  const auto wait_s = world_.throttle.refuse("trimble_maps " + who, interval_ms, world_.clock.now_ms());
  if (!wait_s) return std::nullopt;
  Response response = error(settings, 429, "Too many requests");
  response.set_header("Retry-After", std::to_string(*wait_s));
  return response;
}

Response TrimbleMaps::post_authenticate(Exchange &exchange) {
  const auto settings = snapshot();
  const Request &request = exchange.request;
  if (request.content_type() != "application/json") return error(*settings, 400, "Content-Type must be application/json");
  const json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return error(*settings, 400, "The body must be a JSON object");
  if (!body.contains("apiKey") || !body["apiKey"].is_string()) return error(*settings, 400, "apiKey is required and must be a string");
  const bool with_account = body.contains("accountId");
  if (with_account && !body["accountId"].is_string()) return error(*settings, 400, "accountId must be a string");

  const std::string account_id = with_account ? body["accountId"].get<std::string>() : "";
  const auto api_key = body["apiKey"].get<std::string>();
  if (auto refusal = throttle(*settings, "authenticate " + fingerprint(api_key) + " " + account_id)) return *refusal;
  const Key *key = settings->key(api_key);
  // One and the same answer for both.
  if (key == nullptr || (with_account && !key->has_account(account_id))) {
    return error(*settings, 400, "Invalid apiKey value or alias sent");
  }
  const bool partner = key->partner && !with_account;
  const std::string account = partner ? key->partner_name() : key->partner ? account_id : key->accounts.front().id;
  exchange.account(account);

  const std::int64_t now_ms = world_.clock.now_ms();
  const std::int64_t expires_ms = now_ms + settings->lifetime_s * 1000;
  // Tokens live whole seconds: never shorter than announced.
  const std::int64_t expires_s = (expires_ms + 999) / 1000;
  const std::string token = make_jwt({{"accountId", account}, {"partner", partner}, {"iat", now_ms / 1000}, {"exp", expires_s}});
  world_.tokens.add({token, name(), partner ? partner_kind : account_kind, account, now_ms / 1000, expires_s});
  exchange.issued(token, expires_s);
  return json_response(200, {{"token", token}, {"expires", spelled_expires(settings->expires_style, expires_ms)}});
}

TrimbleMaps::Caller TrimbleMaps::caller(const Settings &settings, Exchange &exchange) {
  const auto token = credentials_of_scheme(exchange.request, "Bearer");
  if (!token) return {"", false, error(settings, 401, "Token is missing")};
  exchange.presented(*token);
  const std::int64_t now = world_.clock.now_s();
  const TokenCheck as_partner = world_.tokens.check(name(), partner_kind, *token, now);
  const bool partner = as_partner.state != TokenState::unknown;
  const TokenCheck check = partner ? as_partner : world_.tokens.check(name(), account_kind, *token, now);
  exchange.account(check.account);
  if (check.state == TokenState::expired) return {"", partner, error(settings, 401, "Token has expired")};
  if (check.state != TokenState::good) return {"", partner, error(settings, 401, "Token is not valid")};
  if (auto refusal = throttle(settings, exchange.request.path + " " + check.account)) return {"", partner, std::move(*refusal)};
  return {check.account, partner};
}

Response TrimbleMaps::get_accounts(Exchange &exchange) {
  const auto settings = snapshot();
  const Caller who = caller(*settings, exchange);
  if (who.account.empty()) return who.refusal;
  if (!who.partner) return error(*settings, 400, "Token does not have partner level access");
  json data = json::array();
  for (const Key &key : settings->keys) {
    if (!key.partner || key.partner_name() != who.account) continue;
    for (const Account &account : key.accounts) data.push_back({{"AccountName", account.name}, {"AccountId", account.id}});
  }
  return json_response(200, {{"data", std::move(data)}});
}

Response TrimbleMaps::get_vehicles(Exchange &exchange) {
  const auto settings = snapshot();
  const Caller who = caller(*settings, exchange);
  if (who.account.empty()) return who.refusal;
  // A vehicle is some account's; partners choose one first.
  if (who.partner) return error(*settings, 403, "Token does not have account level access");
  json data = json::array();
  for (const char *end : {"-V1", "-V2"}) data.push_back({{"VehicleId", who.account + end}, {"AccountId", who.account}});
  return json_response(200, {{"data", std::move(data)}});
}

}  // namespace

std::unique_ptr<Provider> make_trimble_maps(World &world) { return std::make_unique<TrimbleMaps>(world); }

}  // namespace fleetauth::emulator
