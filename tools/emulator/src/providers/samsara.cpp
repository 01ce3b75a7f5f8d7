// Samsara: OAuth 2.0 with a code and with refresh tokens that are replaced at each use; or a static API token.
#include <algorithm>
#include <mutex>

#include "../crypto.h"
#include "../json_members.h"
#include "../oauth2_endpoint.h"
#include "../provider.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t forever_s = Clock::max_ms / 1000;
constexpr OAuthClientRules client_rules{/*basic=*/true, /*post=*/false, /*form_encoded=*/false};

struct Settings : OAuthSettings {
  std::string code = "demo-code";
  std::string redirect_uri = "https://client.example/callback";
  std::vector<std::string> api_tokens{"demo-samsara-token"};
};

Response error(int status, const std::string &message) {
  return json_response(status, {{"message", message}, {"requestId", random_hex(8)}});
}

class Samsara final : public Provider {
 public:
  explicit Samsara(World &world) : endpoint_(world, "samsara") {
    add_route("POST", "/oauth2/token", "token", &Samsara::post_token);
    add_route("POST", "/oauth2/revoke", "revoke", &Samsara::post_revoke);
    add_route("GET", "/fleet/vehicles", "resource", &Samsara::get_vehicles);
    endpoint_.plant(settings_, forever_s);
  }

  std::string name() const override { return "samsara"; }
  std::map<std::string, std::string> base_paths() const override { return {{"api", base}}; }
  const std::vector<Route> &routes() const override { return routes_; }
  PublicNames public_names() const override { return {"grant_type", "redirect_uri", "scope", "token_type_hint"}; }

  Response not_found(const Request &) const override { return error(404, "Not found"); }
  Response method_not_allowed(const Request &) const override { return error(405, "Method not allowed"); }

  std::vector<std::string> secrets() const override {
    const Settings settings = snapshot();
    std::vector<std::string> result = settings.secrets();
    result.push_back(settings.code);
    result.insert(result.end(), settings.api_tokens.begin(), settings.api_tokens.end());
    return result;
  }

  void configure(const json &source) override;
  json settings() const override;

 private:
  static constexpr const char *base = "/samsara";

  void add_route(const char *method, const char *path, const char *flow, Response (Samsara::*handler)(Exchange &)) {
    routes_.push_back({method, std::string(base) + path, flow, [this, handler](Exchange &exchange) { return (this->*handler)(exchange); }});
  }

  Settings snapshot() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  std::variant<RefreshGrant, Response> redeem_code(const Settings &settings, const OAuthCall &call);

  Response post_token(Exchange &exchange);
  Response post_revoke(Exchange &exchange);
  Response get_vehicles(Exchange &exchange);

  OAuthEndpoint endpoint_;
  std::vector<Route> routes_;
  mutable std::mutex mutex_;
  Settings settings_;
  std::optional<std::string> family_of_code_;  // once the code was used
};

void Samsara::configure(const json &source) {
  Settings next = snapshot();
  Members members(source, name());
  next.read(members);
  for (const OAuthClient &client : next.clients) {
    if (client.id.find(':') != std::string::npos) members.fail("clients", "without a colon in client_id, which ends it in Basic");
  }
  const auto code = members.text("code");
  next.code = code.value_or(next.code);
  next.redirect_uri = members.text("redirect_uri").value_or(next.redirect_uri);
  next.api_tokens = members.texts("api_tokens").value_or(next.api_tokens);
  members.finish();
  const std::lock_guard lock(mutex_);
  if (source.contains("clients") || source.contains("first_refresh_tokens")) {
    endpoint_.uproot(settings_);
    endpoint_.plant(next, next.refresh_lifetime_s);
  }
  if (code) family_of_code_.reset();
  settings_ = std::move(next);
}

json Samsara::settings() const {
  const Settings settings = snapshot();
  json shown = settings.show();
  shown["redirect_uri"] = settings.redirect_uri;
  shown["api_tokens"] = settings.api_tokens.size();
  return shown;
}

std::variant<RefreshGrant, Response> Samsara::redeem_code(const Settings &settings, const OAuthCall &call) {
  const auto code = call.field("code");
  const auto redirect_uri = call.field("redirect_uri");
  if (!code || !redirect_uri) return oauth_error(400, "invalid_request", "code and redirect_uri are required");
  if (!equal_constant_time(*code, settings.code)) return oauth_error(400, "invalid_grant", "The code is unknown");
  if (*redirect_uri != settings.redirect_uri) return oauth_error(400, "invalid_grant", "redirect_uri differs from the one of the code");
  const std::lock_guard lock(mutex_);
  if (family_of_code_) {
    // Who uses a code again may have stolen it: all that came of it ends (RFC 6749, section 4.1.2).
    endpoint_.revoke_family(*family_of_code_);
    return oauth_error(400, "invalid_grant", "The code was used before");
  }
  RefreshGrant grant = endpoint_.new_family(settings, call.client_id);
  family_of_code_ = grant.family;
  return grant;
}

Response Samsara::post_token(Exchange &exchange) {
  const Settings settings = snapshot();
  const auto read = endpoint_.read(settings, client_rules, exchange);
  if (const auto *refusal = std::get_if<Response>(&read)) return *refusal;
  const auto &call = std::get<OAuthCall>(read);
  if (auto refusal = endpoint_.throttle(settings, "token " + call.client_id, oauth_too_fast())) return *refusal;

  const auto grant_type = call.field("grant_type");
  if (!grant_type) return oauth_error(400, "invalid_request", "grant_type is required");
  if (*grant_type != "refresh_token" && *grant_type != "authorization_code") {
    return oauth_error(400, "unsupported_grant_type", "grant_type must be refresh_token or authorization_code");
  }
  const auto redeemed =
      *grant_type == "refresh_token" ? endpoint_.redeem(settings, /*rotate=*/true, call, exchange) : redeem_code(settings, call);
  if (const auto *refusal = std::get_if<Response>(&redeemed)) return *refusal;
  const auto &grant = std::get<RefreshGrant>(redeemed);
  const std::string access_token = random_hex(20);
  endpoint_.add_access(exchange, settings, access_token, grant);
  return oauth_answer({{"access_token", access_token},
                       {"refresh_token", grant.token},
                       {"expires_in", settings.lifetime_s},
                       {"token_type", "bearer"},
                       {"scope", "admin:read"}});
}

Response Samsara::post_revoke(Exchange &exchange) {
  const auto read = endpoint_.read(snapshot(), client_rules, exchange);
  if (const auto *refusal = std::get_if<Response>(&read)) return *refusal;
  return endpoint_.revoke(std::get<OAuthCall>(read), exchange);
}

Response Samsara::get_vehicles(Exchange &exchange) {
  const Settings settings = snapshot();
  const auto check = endpoint_.check_bearer(exchange);
  if (!check) return error(401, "Missing token");
  const auto token = credentials_of_scheme(exchange.request, "Bearer");
  const bool is_api_token = std::any_of(settings.api_tokens.begin(), settings.api_tokens.end(),
                                        [&](const std::string &each) { return equal_constant_time(each, *token); });
  if (!is_api_token && check->state != TokenState::good) return error(401, "Invalid token");
  if (auto refusal = endpoint_.throttle(settings, "api " + fingerprint(*token), error(429, "Too many requests"))) return *refusal;
  return json_response(
      200, {{"data", json::array({{{"id", "2001"}, {"name", "Van 1"}}})}, {"pagination", {{"endCursor", ""}, {"hasNextPage", false}}}});
}

}  // namespace

std::unique_ptr<Provider> make_samsara(World &world) { return std::make_unique<Samsara>(world); }

}  // namespace fleetauth::emulator
