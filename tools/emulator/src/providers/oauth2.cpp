// An OAuth 2.0 authorization server as the RFCs have it (6749, 6750, 7009), and an API that takes its tokens.
#include <algorithm>
#include <mutex>

#include "../crypto.h"
#include "../json_members.h"
#include "../jwt.h"
#include "../oauth2_endpoint.h"
#include "../provider.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t forever_s = Clock::max_ms / 1000;
constexpr const char *auth_base = "/oauth2";
constexpr const char *api_base = "/oauth2-api";

struct Settings : OAuthSettings {
  bool rotation = false;
  std::vector<std::string> scopes{"fleet.read", "fleet.write"};
  std::vector<std::string> audiences;  // empty: any, or none
  std::string token_endpoint_auth = "either";
  std::string basic_encoding = "form";
  std::string token_style = "opaque";
  std::string expires_in = "number";

  OAuthClientRules client_rules() const {
    return {token_endpoint_auth != "post", token_endpoint_auth != "basic", basic_encoding == "form"};
  }
};

bool contains(const std::vector<std::string> &words, const std::string &word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What may stand in a scope (RFC 6749, section 3.3); the URIs of audiences are such, too.
bool is_word(const std::string &word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c <= '~' && c != '"' && c != '\\'; });
}

// What the caller shall get: all that there is unless it asks for less. Empty when a word is unknown.
std::optional<std::string> granted_scope(const Settings &settings, const std::optional<std::string> &wanted) {
  std::string all;
  for (const std::string &scope : settings.scopes) all += (all.empty() ? "" : " ") + scope;
  if (!wanted) return all;
  std::string_view rest = *wanted;
  // One space between words, none around them.
  for (;;) {
    const std::size_t space = rest.find(' ');
    if (!contains(settings.scopes, std::string(rest.substr(0, space)))) return std::nullopt;
    if (space == std::string_view::npos) return wanted;
    rest.remove_prefix(space + 1);
  }
}

class OAuth2 final : public Provider {
 public:
  explicit OAuth2(World &world) : world_(world), endpoint_(world, "oauth2") {
    add_route("POST", std::string(auth_base) + "/token", "token", &OAuth2::post_token);
    add_route("POST", std::string(auth_base) + "/revoke", "revoke", &OAuth2::post_revoke);
    add_route("GET", std::string(api_base) + "/resource", "resource", &OAuth2::get_resource);
    endpoint_.plant(settings_, forever_s);
  }

  std::string name() const override { return "oauth2"; }
  std::map<std::string, std::string> base_paths() const override { return {{"auth", auth_base}, {"api", api_base}}; }
  const std::vector<Route> &routes() const override { return routes_; }
  PublicNames public_names() const override { return {"audience", "client_id", "grant_type", "scope", "token_type_hint"}; }

  Response not_found(const Request &) const override { return oauth_error(404, "not_found", "No such endpoint"); }
  Response method_not_allowed(const Request &) const override { return oauth_error(405, "invalid_request", "Method not allowed"); }

  std::vector<std::string> secrets() const override { return snapshot().secrets(); }

  void configure(const json &source) override;
  json settings() const override;

 private:
  void add_route(const char *method, std::string path, const char *flow, Response (OAuth2::*handler)(Exchange &)) {
    routes_.push_back({method, std::move(path), flow, [this, handler](Exchange &exchange) { return (this->*handler)(exchange); }});
  }

  Settings snapshot() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  std::string make_access_token(const Settings &settings, const OAuthCall &call, const std::string &scope) const;
  json describe_access_token(const Settings &settings, const std::string &token, const std::string &scope) const;

  Response grant_client_credentials(const Settings &settings, const OAuthCall &call, const std::string &scope, Exchange &exchange);
  Response grant_refresh_token(const Settings &settings, const OAuthCall &call, const std::string &scope, Exchange &exchange);

  Response post_token(Exchange &exchange);
  Response post_revoke(Exchange &exchange);
  Response get_resource(Exchange &exchange);

  World &world_;
  OAuthEndpoint endpoint_;
  std::vector<Route> routes_;
  mutable std::mutex mutex_;
  Settings settings_;
};

void OAuth2::configure(const json &source) {
  Settings next = snapshot();
  Members members(source, name());
  next.read(members);
  next.rotation = members.boolean("rotation").value_or(next.rotation);
  next.scopes = members.texts("scopes").value_or(next.scopes);
  if (!std::all_of(next.scopes.begin(), next.scopes.end(), is_word)) members.fail("scopes", "an array of words without spaces or quotes");
  next.audiences = members.texts("audiences").value_or(next.audiences);
  next.token_endpoint_auth = members.one_of("token_endpoint_auth", {"basic", "post", "either"}).value_or(next.token_endpoint_auth);
  next.basic_encoding = members.one_of("basic_encoding", {"form", "plain"}).value_or(next.basic_encoding);
  next.token_style = members.one_of("token_style", {"opaque", "jwt"}).value_or(next.token_style);
  next.expires_in = members.one_of("expires_in", {"number", "string", "absent"}).value_or(next.expires_in);
  members.finish();
  const std::lock_guard lock(mutex_);
  if (source.contains("clients") || source.contains("first_refresh_tokens")) {
    endpoint_.uproot(settings_);
    endpoint_.plant(next, next.refresh_lifetime_s);
  }
  settings_ = std::move(next);
}

json OAuth2::settings() const {
  const Settings settings = snapshot();
  json shown = settings.show();
  shown.update({{"rotation", settings.rotation},
                {"scopes", settings.scopes},
                {"audiences", settings.audiences},
                {"token_endpoint_auth", settings.token_endpoint_auth},
                {"basic_encoding", settings.basic_encoding},
                {"token_style", settings.token_style},
                {"expires_in", settings.expires_in}});
  return shown;
}

std::string OAuth2::make_access_token(const Settings &settings, const OAuthCall &call, const std::string &scope) const {
  if (settings.token_style == "opaque") return random_hex(20);
  const std::int64_t now = world_.clock.now_s();
  json claims = {
      {"iss", "fleetauth-emulator"}, {"sub", call.client_id},           {"client_id", call.client_id}, {"scope", scope}, {"iat", now},
      {"jti", random_hex(8)},        {"exp", now + settings.lifetime_s}};
  if (const auto audience = call.field("audience")) claims["aud"] = *audience;
  return make_jwt(claims);
}

json OAuth2::describe_access_token(const Settings &settings, const std::string &token, const std::string &scope) const {
  json answer = {{"access_token", token}, {"token_type", "Bearer"}};
  if (settings.expires_in == "number") answer["expires_in"] = settings.lifetime_s;
  if (settings.expires_in == "string") answer["expires_in"] = std::to_string(settings.lifetime_s);
  if (!scope.empty()) answer["scope"] = scope;
  return answer;
}

Response OAuth2::grant_client_credentials(const Settings &settings, const OAuthCall &call, const std::string &scope, Exchange &exchange) {
  if (!settings.audiences.empty() && !call.field("audience")) return oauth_error(400, "invalid_request", "audience is required");
  const std::string token = make_access_token(settings, call, scope);
  endpoint_.add_access(exchange, settings, token, call.client_id);
  return oauth_answer(describe_access_token(settings, token, scope));
}

Response OAuth2::grant_refresh_token(const Settings &settings, const OAuthCall &call, const std::string &scope, Exchange &exchange) {
  const auto redeemed = endpoint_.redeem(settings, settings.rotation, call, exchange);
  if (const auto *refusal = std::get_if<Response>(&redeemed)) return *refusal;
  const auto &grant = std::get<RefreshGrant>(redeemed);
  const std::string token = make_access_token(settings, call, scope);
  endpoint_.add_access(exchange, settings, token, grant);
  json answer = describe_access_token(settings, token, scope);
  if (settings.rotation) answer["refresh_token"] = grant.token;
  return oauth_answer(answer);
}

Response OAuth2::post_token(Exchange &exchange) {
  const Settings settings = snapshot();
  const auto read = endpoint_.read(settings, settings.client_rules(), exchange);
  if (const auto *refusal = std::get_if<Response>(&read)) return *refusal;
  const auto &call = std::get<OAuthCall>(read);
  if (auto refusal = endpoint_.throttle(settings, "token " + call.client_id, oauth_too_fast())) return *refusal;

  const auto grant_type = call.field("grant_type");
  if (!grant_type) return oauth_error(400, "invalid_request", "grant_type is required");
  if (*grant_type != "client_credentials" && *grant_type != "refresh_token") {
    return oauth_error(400, "unsupported_grant_type", "grant_type must be client_credentials or refresh_token");
  }
  const auto scope = granted_scope(settings, call.field("scope"));
  if (!scope) return oauth_error(400, "invalid_scope", "A scope is unknown");
  const auto audience = call.field("audience");
  if (audience && (!is_word(*audience) || (!settings.audiences.empty() && !contains(settings.audiences, *audience)))) {
    return oauth_error(400, "invalid_target", "The audience is unknown");
  }
  return *grant_type == "refresh_token" ? grant_refresh_token(settings, call, *scope, exchange)
                                        : grant_client_credentials(settings, call, *scope, exchange);
}

Response OAuth2::post_revoke(Exchange &exchange) {
  const Settings settings = snapshot();
  const auto read = endpoint_.read(settings, settings.client_rules(), exchange);
  if (const auto *refusal = std::get_if<Response>(&read)) return *refusal;
  return endpoint_.revoke(std::get<OAuthCall>(read), exchange);
}

Response invalid_token(const std::string &why) {
  Response response = oauth_error(401, "invalid_token", why);
  response.set_header("WWW-Authenticate", "Bearer error=\"invalid_token\", error_description=\"" + why + "\"");
  return response;
}

Response OAuth2::get_resource(Exchange &exchange) {
  const Settings settings = snapshot();
  const auto check = endpoint_.check_bearer(exchange);
  if (!check) {
    // Who shows no token is told which kind is wanted, and of no error (RFC 6750, section 3.1).
    Response response{401, {}, "", "", {}};
    response.set_header("WWW-Authenticate", "Bearer realm=\"fleet\"");
    return response;
  }
  if (check->state == TokenState::expired) return invalid_token("The access token expired");
  if (check->state == TokenState::revoked) return invalid_token("The access token was revoked");
  if (check->state != TokenState::good) return invalid_token("The access token is unknown");
  if (auto refusal = endpoint_.throttle(settings, "api " + check->account, oauth_too_fast())) return *refusal;
  return json_response(200, {{"client_id", check->account}});
}

}  // namespace

std::unique_ptr<Provider> make_oauth2(World &world) { return std::make_unique<OAuth2>(world); }

}  // namespace fleetauth::emulator
