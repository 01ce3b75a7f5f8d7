// Fleet Orchestrator: e-mail and password (and a one-time password), or an API key; access and refresh tokens are JWTs.
#include <algorithm>
#include <charconv>
#include <mutex>
#include <set>

#include "../crypto.h"
#include "../json_members.h"
#include "../jwt.h"
#include "../provider.h"
#include "../refresh_tokens.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t year_s = 365 * day_s;
constexpr std::int64_t totp_step_s = 30;
constexpr std::int64_t max_limit = 100;
constexpr const char *access_kind = "access";
constexpr const char *handle_kind = "otp handle";

struct User {
  std::string email;
  std::string password;
  std::string role;
  std::string id;
  std::string company;
  std::string site;
  std::string otp{};          // the one-time password that is always right; empty: see below
  std::string totp_secret{};  // base32; empty as well: no two-factor authentication

  bool two_factor() const { return !otp.empty() || !totp_secret.empty(); }
  json shown() const { return {{"_id", id}, {"email", email}, {"role", role}, {"companyRef", company}, {"siteRef", site}}; }
};

struct ApiKey {
  std::string api_key;
  std::string email;
};

User default_user(const std::string &name, const std::string &role, const std::string &id) {
  return {name + "@fleet.example", "demo-password", role, id, "65a000000000000000000001", "65b000000000000000000001"};
}

std::vector<User> default_users() {
  std::vector<User> users{
      default_user("admin", "admin", "65c000000000000000000001"),    default_user("dispatcher", "dispatcher", "65c000000000000000000002"),
      default_user("viewer", "viewer", "65c000000000000000000003"),  default_user("driver", "driver", "65c000000000000000000004"),
      default_user("otp", "dispatcher", "65c000000000000000000005"), default_user("totp", "dispatcher", "65c000000000000000000006")};
  users[4].otp = "123456";
  users[5].totp_secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";  // that of RFC 6238's test vectors
  return users;
}

struct Settings {
  std::vector<User> users = default_users();
  std::vector<ApiKey> api_keys{{"demo-fo-api-key", "admin@fleet.example"}};
  std::int64_t lifetime_s = 3600;
  std::int64_t refresh_lifetime_s = 7 * day_s;
  bool rotate_refresh = false;
  bool rotation_strict = false;
  std::int64_t rotation_grace_s = 0;
  std::string otp_style = "flag_and_handle";
  std::int64_t otp_attempts = 3;
  std::int64_t otp_lifetime_s = 300;
  std::string user_shape = "bare";
  std::string error_style = "message";
  std::string expires_in_style = "number";
  double min_interval_s = 0;

  const User *user(const std::string &email) const {
    const auto found = std::find_if(users.begin(), users.end(), [&](const User &user) { return user.email == email; });
    return found == users.end() ? nullptr : &*found;
  }
  RefreshPolicy policy() const { return {rotate_refresh, rotation_strict, rotation_grace_s, refresh_lifetime_s}; }
};

User parse_user(const json &source, const std::string &where) {
  Members members(source, where);
  User user;
  user.email = members.required_text("email");
  user.password = members.required_text("password");
  user.role = members.one_of("role", {"admin", "dispatcher", "viewer", "driver"}).value_or("dispatcher");
  user.id = members.text("id").value_or(fingerprint(user.email));
  user.company = members.text("company").value_or("65a000000000000000000001");
  user.site = members.text("site").value_or("65b000000000000000000001");
  user.otp = members.text("otp").value_or("");
  user.totp_secret = members.text("totp_secret").value_or("");
  if (!user.totp_secret.empty() && !base32_decode(user.totp_secret)) members.fail("totp_secret", "in base32");
  if (!user.otp.empty() && !user.totp_secret.empty()) members.fail("otp", "absent when there is a totp_secret");
  members.finish();
  return user;
}

ApiKey parse_api_key(const json &source, const std::string &where) {
  Members members(source, where);
  ApiKey key{members.required_text("api_key"), members.required_text("email")};
  members.finish();
  return key;
}

bool any_duplicate(const std::vector<User> &users) {
  std::set<std::string> emails;
  return !std::all_of(users.begin(), users.end(), [&](const User &user) { return emails.insert(user.email).second; });
}

std::string status_text(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    default:
      return "Too Many Requests";
  }
}

// "Invalid Token" -> "invalid_token"
std::string code_of(const std::string &message) {
  std::string code = lower_case(message);
  std::replace(code.begin(), code.end(), ' ', '_');
  return code;
}

// What is known of the real errors is their names; these are the spellings that such servers have.
json spelled_error(const std::string &style, int status, const std::string &message) {
  if (style == "error") return {{"error", message}};
  if (style == "error_object") return {{"error", {{"code", code_of(message)}, {"message", message}}}};
  if (style == "status_code") return {{"statusCode", status}, {"error", status_text(status)}, {"message", message}};
  if (style == "message_array") return {{"statusCode", status}, {"error", status_text(status)}, {"message", json::array({message})}};
  return {{"message", message}};
}

std::optional<std::int64_t> positive(const std::optional<std::string> &text) {
  std::int64_t number = 0;
  if (!text) return std::nullopt;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failure != std::errc() || end != text->data() + text->size() || number < 1) return std::nullopt;
  return number;
}

// A login that waits for its one-time password.
struct Pending {
  std::string email;
  std::int64_t expires_s = 0;
  std::int64_t attempts_left = 0;
};

class FleetOrchestrator final : public Provider {
 public:
  explicit FleetOrchestrator(World &world) : world_(world), refresh_tokens_(world.tokens, provider_name, make_refresh_jwt) {
    add_route("POST", "/auth/login", "login", &FleetOrchestrator::post_login);
    add_route("POST", "/auth/verify-otp", "one-time password", &FleetOrchestrator::post_verify_otp);
    add_route("POST", "/auth/auto-login", "auto-login", &FleetOrchestrator::post_auto_login);
    add_route("POST", "/auth/refresh-token", "refresh", &FleetOrchestrator::post_refresh);
    add_route("GET", "/auth/whoami", "resource", &FleetOrchestrator::get_whoami);
    add_route("GET", "/reservations", "resource", &FleetOrchestrator::get_reservations);
    add_route("GET", "/vehicles", "resource", &FleetOrchestrator::get_vehicles);
  }

  std::string name() const override { return provider_name; }
  std::map<std::string, std::string> base_paths() const override { return {{"api", base}}; }
  const std::vector<Route> &routes() const override { return routes_; }
  PublicNames public_names() const override { return {"email", "limit", "page"}; }

  Response not_found(const Request &) const override { return error(snapshot(), 404, "Not Found"); }
  Response method_not_allowed(const Request &) const override { return error(snapshot(), 405, "Method Not Allowed"); }

  std::vector<std::string> secrets() const override;
  void configure(const json &source) override;
  json settings() const override;

 private:
  static constexpr const char *provider_name = "fleet_orchestrator";
  static constexpr const char *base = "/fo";

  // Who calls a protected resource, or why nobody may.
  struct Caller {
    std::optional<User> user;
    Response refusal;
  };

  void add_route(const char *method, const char *path, const char *flow, Response (FleetOrchestrator::*handler)(Exchange &)) {
    routes_.push_back({method, std::string(base) + path, flow, [this, handler](Exchange &exchange) { return (this->*handler)(exchange); }});
  }

  Settings snapshot() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  static std::string make_refresh_jwt(const std::string &account, std::int64_t now_s, std::int64_t expires_s) {
    return make_jwt({{"email", account}, {"type", "refresh"}, {"iat", now_s}, {"exp", expires_s}});
  }
  static Response error(const Settings &settings, int status, const std::string &message) {
    return json_response(status, spelled_error(settings.error_style, status, message));
  }
  static Response invalid_token(const Settings &settings) { return error(settings, 401, "Invalid Token"); }

  // The members of a JSON body, all of them texts. Empty: `refusal` says why.
  static std::optional<std::vector<std::string>> texts_of_body(const Settings &settings, const Request &request,
                                                               const std::vector<std::string> &names, Response &refusal);
  std::optional<Response> throttle(const Settings &settings, const Request &request, const std::string &who);
  json access(const Settings &settings, Exchange &exchange, const User &user, const std::string &family);
  Response log_in(const Settings &settings, Exchange &exchange, const User &user);
  Response ask_for_otp(const Settings &settings, const User &user);
  std::optional<Response> refuse_pending(const Settings &settings, const std::string &key, const User &user, const std::string &otp);
  bool otp_fits(const User &user, const std::string &otp);
  Caller caller(const Settings &settings, Exchange &exchange);
  Response list(const Settings &settings, const Request &request, const json &all) const;

  Response post_login(Exchange &exchange);
  Response post_verify_otp(Exchange &exchange);
  Response post_auto_login(Exchange &exchange);
  Response post_refresh(Exchange &exchange);
  Response get_whoami(Exchange &exchange);
  Response get_reservations(Exchange &exchange);
  Response get_vehicles(Exchange &exchange);

  World &world_;
  std::vector<Route> routes_;
  RefreshTokens refresh_tokens_;
  mutable std::mutex mutex_;
  Settings settings_;
  std::map<std::string, Pending> pending_;                          // by handle, or by "email <e-mail>" without one
  std::set<std::pair<std::int64_t, std::string>> used_totp_steps_;  // and whose
};

std::vector<std::string> FleetOrchestrator::secrets() const {
  std::vector<std::string> result;
  const Settings settings = snapshot();
  for (const User &user : settings.users) {
    for (const std::string &secret : {user.password, user.otp, user.totp_secret}) {
      if (!secret.empty()) result.push_back(secret);
    }
  }
  for (const ApiKey &key : settings.api_keys) result.push_back(key.api_key);
  return result;
}

void FleetOrchestrator::configure(const json &source) {
  Settings next = snapshot();
  Members members(source, name());
  next.users = members.each("users", parse_user).value_or(next.users);
  if (next.users.empty() || any_duplicate(next.users)) members.fail("users", "an array with at least one user, each e-mail once");
  if (auto keys = members.each("api_keys", parse_api_key)) {
    const bool known = std::all_of(keys->begin(), keys->end(), [&](const ApiKey &key) { return next.user(key.email) != nullptr; });
    if (!known) members.fail("api_keys", "keys of users that there are");
    next.api_keys = std::move(*keys);
  }
  next.lifetime_s = members.integer("lifetime_s", 1, year_s).value_or(next.lifetime_s);
  next.refresh_lifetime_s = members.integer("refresh_lifetime_s", 1, year_s).value_or(next.refresh_lifetime_s);
  next.rotate_refresh = members.boolean("rotate_refresh").value_or(next.rotate_refresh);
  next.rotation_strict = members.boolean("rotation_strict").value_or(next.rotation_strict);
  next.rotation_grace_s = members.integer("rotation_grace_s", 0, year_s).value_or(next.rotation_grace_s);
  next.otp_style = members.one_of("otp_style", {"flag_and_handle", "bare"}).value_or(next.otp_style);
  next.otp_attempts = members.integer("otp_attempts", 1, 1000).value_or(next.otp_attempts);
  next.otp_lifetime_s = members.integer("otp_lifetime_s", 1, day_s).value_or(next.otp_lifetime_s);
  next.user_shape = members.one_of("user_shape", {"bare", "user", "data"}).value_or(next.user_shape);
  next.error_style =
      members.one_of("error_style", {"message", "error", "error_object", "status_code", "message_array"}).value_or(next.error_style);
  next.expires_in_style = members.one_of("expires_in_style", {"number", "string"}).value_or(next.expires_in_style);
  next.min_interval_s = members.number("min_interval_s", 0, day_s).value_or(next.min_interval_s);
  members.finish();
  const std::lock_guard lock(mutex_);
  settings_ = std::move(next);
}

json FleetOrchestrator::settings() const {
  const Settings settings = snapshot();
  json users = json::array();
  for (const User &user : settings.users) {
    json shown = user.shown();
    shown["two_factor"] = user.two_factor();
    users.push_back(std::move(shown));
  }
  json api_key_users = json::array();
  for (const ApiKey &key : settings.api_keys) api_key_users.push_back(key.email);
  return {{"users", std::move(users)},
          {"api_key_users", std::move(api_key_users)},
          {"lifetime_s", settings.lifetime_s},
          {"refresh_lifetime_s", settings.refresh_lifetime_s},
          {"rotate_refresh", settings.rotate_refresh},
          {"rotation_strict", settings.rotation_strict},
          {"rotation_grace_s", settings.rotation_grace_s},
          {"otp_style", settings.otp_style},
          {"otp_attempts", settings.otp_attempts},
          {"otp_lifetime_s", settings.otp_lifetime_s},
          {"user_shape", settings.user_shape},
          {"error_style", settings.error_style},
          {"expires_in_style", settings.expires_in_style},
          {"min_interval_s", settings.min_interval_s}};
}

std::optional<std::vector<std::string>> FleetOrchestrator::texts_of_body(const Settings &settings, const Request &request,
                                                                         const std::vector<std::string> &names, Response &refusal) {
  std::vector<std::string> result;
  const json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (request.content_type() != "application/json" || !body.is_object()) {
    refusal = error(settings, 400, "The body must be a JSON object, sent as application/json");
    return std::nullopt;
  }
  for (const std::string &name : names) {
    const auto found = body.find(name);
    if (found == body.end() || !found->is_string() || found->get<std::string>().empty()) {
      refusal = error(settings, 400, name + " is required and must be a string");
      return std::nullopt;
    }
    result.push_back(found->get<std::string>());
  }
  return result;
}

std::optional<Response> FleetOrchestrator::throttle(const Settings &settings, const Request &request, const std::string &who) {
  const auto interval_ms = static_cast<std::int64_t>(settings.min_interval_s * 1000);
  const auto wait_s = world_.throttle.refuse(request.path + " " + who, interval_ms, world_.clock.now_ms());
  if (!wait_s) return std::nullopt;
  Response response = error(settings, 429, "Too Many Requests");
  response.set_header("Retry-After", std::to_string(*wait_s));
  return response;
}

// A new access token, as the answers tell it.
json FleetOrchestrator::access(const Settings &settings, Exchange &exchange, const User &user, const std::string &family) {
  const std::int64_t now = world_.clock.now_s();
  const std::int64_t expires_s = now + settings.lifetime_s;
  json claims = user.shown();
  claims.update({{"type", "access"}, {"iat", now}, {"exp", expires_s}});
  std::string token = make_jwt(claims);
  world_.tokens.add({token, name(), access_kind, user.email, now, expires_s, /*revoked=*/false, family});
  exchange.issued(token, expires_s);
  const bool as_text = settings.expires_in_style == "string";
  return {{"accessToken", std::move(token)},
          {"expiresIn", as_text ? json(std::to_string(settings.lifetime_s)) : json(settings.lifetime_s)}};
}

Response FleetOrchestrator::log_in(const Settings &settings, Exchange &exchange, const User &user) {
  const RefreshGrant refresh = refresh_tokens_.issue(user.email, world_.clock.now_s(), settings.refresh_lifetime_s);
  json body = access(settings, exchange, user, refresh.family);
  body["refreshToken"] = refresh.token;
  body["user"] = user.shown();
  return json_response(200, body);
}

Response FleetOrchestrator::ask_for_otp(const Settings &settings, const User &user) {
  const std::int64_t now = world_.clock.now_s();
  const std::int64_t expires_s = now + settings.otp_lifetime_s;
  json body = {{"requires2FA", true}};
  std::string key = "email " + user.email;
  if (settings.otp_style == "flag_and_handle") {
    key = random_hex(16);
    // In the book the log finds it and hides it.
    world_.tokens.add({key, name(), handle_kind, user.email, now, expires_s});
    body["tempToken"] = key;
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(pending_, [&](const auto &each) { return each.second.expires_s + day_s < now; });
  pending_[key] = {user.email, expires_s, settings.otp_attempts};
  return json_response(200, body);
}

// Expects the lock.
bool FleetOrchestrator::otp_fits(const User &user, const std::string &otp) {
  if (user.totp_secret.empty()) return !user.otp.empty() && equal_constant_time(user.otp, otp);
  const std::string key = base32_decode(user.totp_secret).value_or("");
  const std::int64_t current = world_.clock.now_s() / totp_step_s;
  for (std::int64_t step = std::max<std::int64_t>(current - 1, 0); step <= current + 1; ++step) {
    if (!equal_constant_time(totp(key, static_cast<std::uint64_t>(step)), otp)) continue;
    used_totp_steps_.erase(used_totp_steps_.begin(), used_totp_steps_.lower_bound({current - 1, ""}));
    if (used_totp_steps_.emplace(step, user.email).second) return true;
  }
  return false;
}

std::optional<Response> FleetOrchestrator::refuse_pending(const Settings &settings, const std::string &key, const User &user,
                                                          const std::string &otp) {
  const std::lock_guard lock(mutex_);
  const auto found = pending_.find(key);
  if (found == pending_.end() || found->second.email != user.email) return invalid_token(settings);
  if (world_.clock.now_s() >= found->second.expires_s) return error(settings, 401, "Token Expired");
  const bool fits = otp_fits(user, otp);
  if (fits || --found->second.attempts_left <= 0) pending_.erase(found);
  if (fits) return std::nullopt;
  return error(settings, 401, "Invalid Credentials");
}

Response FleetOrchestrator::post_login(Exchange &exchange) {
  const Settings settings = snapshot();
  Response refusal;
  const auto given = texts_of_body(settings, exchange.request, {"email", "password"}, refusal);
  if (!given) return refusal;
  const std::string &email = (*given)[0];
  const User *user = settings.user(email);
  if (user != nullptr) exchange.account(email);
  if (auto too_soon = throttle(settings, exchange.request, email)) return *too_soon;
  if (user == nullptr || !equal_constant_time(user->password, (*given)[1])) return error(settings, 401, "Invalid Credentials");
  return user->two_factor() ? ask_for_otp(settings, *user) : log_in(settings, exchange, *user);
}

Response FleetOrchestrator::post_verify_otp(Exchange &exchange) {
  const Settings settings = snapshot();
  const bool by_handle = settings.otp_style == "flag_and_handle";
  Response refusal;
  const std::vector<std::string> names{"email", "otp", "tempToken"};
  const auto given = texts_of_body(settings, exchange.request, {names.begin(), names.end() - (by_handle ? 0 : 1)}, refusal);
  if (!given) return refusal;
  const std::string &email = (*given)[0];
  const User *user = settings.user(email);
  if (user != nullptr) exchange.account(email);
  if (by_handle) exchange.presented((*given)[2]);
  if (auto too_soon = throttle(settings, exchange.request, email)) return *too_soon;
  if (user == nullptr) return invalid_token(settings);
  const std::string key = by_handle ? (*given)[2] : "email " + email;
  if (world_.tokens.check(name(), handle_kind, key, world_.clock.now_s()).state == TokenState::revoked) return invalid_token(settings);
  if (auto refused = refuse_pending(settings, key, *user, (*given)[1])) return *refused;
  return log_in(settings, exchange, *user);
}

Response FleetOrchestrator::post_auto_login(Exchange &exchange) {
  const Settings settings = snapshot();
  Response refusal;
  const auto given = texts_of_body(settings, exchange.request, {"apiKey"}, refusal);
  if (!given) return refusal;
  const std::string &api_key = given->front();
  if (auto too_soon = throttle(settings, exchange.request, fingerprint(api_key))) return *too_soon;
  for (const ApiKey &key : settings.api_keys) {
    const User *user = settings.user(key.email);
    if (user == nullptr || !equal_constant_time(key.api_key, api_key)) continue;
    exchange.account(user->email);
    return log_in(settings, exchange, *user);
  }
  return error(settings, 401, "Invalid Credentials");
}

Response FleetOrchestrator::post_refresh(Exchange &exchange) {
  const Settings settings = snapshot();
  Response refusal;
  const auto given = texts_of_body(settings, exchange.request, {"refreshToken"}, refusal);
  if (!given) return refusal;
  const std::string &token = given->front();
  exchange.presented(token);
  const std::int64_t now = world_.clock.now_s();
  const TokenCheck check = world_.tokens.check(name(), RefreshTokens::kind, token, now);
  exchange.account(check.account);
  if (auto too_soon = throttle(settings, exchange.request, check.account)) return *too_soon;
  const User *user = settings.user(check.account);
  if (user == nullptr) return invalid_token(settings);
  const RefreshGrant refresh = refresh_tokens_.redeem(token, now, settings.policy());
  if (refresh.state == RefreshState::expired) return error(settings, 401, "Token Expired");
  if (refresh.state != RefreshState::good) return invalid_token(settings);
  json body = access(settings, exchange, *user, refresh.family);
  if (settings.rotate_refresh) body["refreshToken"] = refresh.token;
  return json_response(200, body);
}

FleetOrchestrator::Caller FleetOrchestrator::caller(const Settings &settings, Exchange &exchange) {
  const auto token = credentials_of_scheme(exchange.request, "Bearer");
  if (!token) return {std::nullopt, invalid_token(settings)};
  exchange.presented(*token);
  const TokenCheck check = world_.tokens.check(name(), access_kind, *token, world_.clock.now_s());
  exchange.account(check.account);
  if (check.state == TokenState::expired) return {std::nullopt, error(settings, 401, "Token Expired")};
  const User *user = settings.user(check.account);
  if (check.state != TokenState::good || user == nullptr) return {std::nullopt, invalid_token(settings)};
  if (auto too_soon = throttle(settings, exchange.request, check.account)) return {std::nullopt, std::move(*too_soon)};
  return {*user, {}};
}

Response FleetOrchestrator::get_whoami(Exchange &exchange) {
  const Settings settings = snapshot();
  const Caller who = caller(settings, exchange);
  if (!who.user) return who.refusal;
  const json shown = who.user->shown();
  return json_response(200, settings.user_shape == "bare" ? shown : json{{settings.user_shape, shown}});
}

Response FleetOrchestrator::list(const Settings &settings, const Request &request, const json &all) const {
  const auto fields = parse_fields(request.query);
  const auto limit = fields ? positive(single(*fields, "limit")) : std::nullopt;
  const auto page = fields ? positive(single(*fields, "page")) : std::nullopt;
  if (!limit || *limit > max_limit) return error(settings, 400, "limit is required, from 1 to " + std::to_string(max_limit));
  if (!page) return error(settings, 400, "page is required, from 1");
  const auto total = static_cast<std::int64_t>(all.size());
  json records = json::array();
  // No product of page and limit, which might overflow.
  const std::int64_t first = *page - 1 <= total / *limit ? (*page - 1) * *limit : total;
  for (std::int64_t i = first; i < std::min(first + *limit, total); ++i) records.push_back(all[static_cast<std::size_t>(i)]);
  return json_response(200, {{"page", *page},
                             {"limit", *limit},
                             {"totalPages", (total + *limit - 1) / *limit},
                             {"totalResults", total},
                             {"records", std::move(records)}});
}

Response FleetOrchestrator::get_reservations(Exchange &exchange) {
  const Settings settings = snapshot();
  const Caller who = caller(settings, exchange);
  if (!who.user) return who.refusal;
  json all = json::array();
  const bool driver = who.user->role == "driver";
  for (int i = 1; i <= 5; ++i) {
    if (driver && i > 2) break;  // drivers see their own trips alone
    all.push_back({{"_id", "reservation-" + std::to_string(i)}, {"status", "planned"}, {"companyRef", who.user->company}});
    if (driver) all.back()["driverRef"] = who.user->id;
  }
  return list(settings, exchange.request, all);
}

Response FleetOrchestrator::get_vehicles(Exchange &exchange) {
  const Settings settings = snapshot();
  const Caller who = caller(settings, exchange);
  if (!who.user) return who.refusal;
  if (who.user->role == "driver") return error(settings, 403, "Forbidden");
  json all = json::array();
  for (int i = 1; i <= 3; ++i) all.push_back({{"_id", "vehicle-" + std::to_string(i)}, {"companyRef", who.user->company}});
  return list(settings, exchange.request, all);
}

}  // namespace

std::unique_ptr<Provider> make_fleet_orchestrator(World &world) { return std::make_unique<FleetOrchestrator>(world); }

}  // namespace fleetauth::emulator
