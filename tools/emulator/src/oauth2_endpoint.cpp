#include "oauth2_endpoint.h"

#include <algorithm>
#include <set>

#include "crypto.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t ten_years_s = 3650 * day_s;

OAuthClient parse_client(const json &source, const std::string &where) {
  Members members(source, where);
  OAuthClient client;
  client.id = members.required_text("client_id");
  client.secret = members.required_text("client_secret");
  members.finish();
  return client;
}

// Characters that encoders of forms leave as they are; they do not agree on some of the marks.
bool is_form_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("%+*-._~!'()").find(c) != std::string_view::npos;
  });
}

// Empty when the text cannot have come from an encoder.
std::optional<std::string> form_decode(const std::string &text) {
  if (!is_form_text(text)) return std::nullopt;
  const auto fields = parse_fields("x=" + text);
  return fields ? single(*fields, "x") : std::nullopt;
}

Response invalid_client(const std::string &description) {
  Response response = oauth_error(401, "invalid_client", description);
  response.set_header("WWW-Authenticate", "Basic realm=\"oauth2\"");
  return response;
}

Response invalid_request(const std::string &description) { return oauth_error(400, "invalid_request", description); }

bool repeats_a_field(const Fields &form) {
  std::set<std::string_view> names;
  return !std::all_of(form.begin(), form.end(), [&](const auto &field) { return names.insert(field.first).second; });
}

std::optional<OAuthClient> client_of_basic(const OAuthClientRules &rules, const Request &request) {
  const auto basic = basic_credentials(request);
  if (!basic) return std::nullopt;
  if (!rules.form_encoded) return OAuthClient{basic->user, basic->password};
  const auto id = form_decode(basic->user);
  const auto secret = form_decode(basic->password);
  if (!id || !secret) return std::nullopt;
  return OAuthClient{*id, *secret};
}

// The client that the caller says to be, or how that is refused.
std::variant<OAuthClient, Response> claimed_client(const OAuthClientRules &rules, const OAuthCall &call, const Request &request) {
  const bool has_header = std::any_of(request.headers.begin(), request.headers.end(),
                                      [](const Header &header) { return equal_ignoring_case(header.first, "Authorization"); });
  const auto id = call.field("client_id");
  const auto secret = call.field("client_secret");
  if (has_header && secret) return invalid_request("The client must authenticate in one way only");
  if (has_header && rules.basic) {
    const auto client = client_of_basic(rules, request);
    if (!client) return invalid_client("The Authorization header is malformed");
    if (id && *id != client->id) return invalid_request("client_id differs from the one in the Authorization header");
    return *client;
  }
  if (rules.post && id && secret) return OAuthClient{*id, *secret};
  return invalid_client("The client must authenticate");
}

}  // namespace

void OAuthSettings::read(Members &members) {
  clients = members.list("clients", parse_client).value_or(clients);
  lifetime_s = members.integer("lifetime_s", 1, ten_years_s).value_or(lifetime_s);
  refresh_lifetime_s = members.integer("refresh_lifetime_s", 1, ten_years_s).value_or(refresh_lifetime_s);
  rotation_strict = members.boolean("rotation_strict").value_or(rotation_strict);
  rotation_grace_s = members.integer("rotation_grace_s", 0, ten_years_s).value_or(rotation_grace_s);
  first_refresh_tokens = members.texts("first_refresh_tokens").value_or(first_refresh_tokens);
  if (std::find(first_refresh_tokens.begin(), first_refresh_tokens.end(), "") != first_refresh_tokens.end()) {
    members.fail("first_refresh_tokens", "an array of strings which are not empty");
  }
  min_interval_s = members.number("min_interval_s", 0, static_cast<double>(day_s)).value_or(min_interval_s);
}

json OAuthSettings::show() const {
  json shown = json::array();
  for (const OAuthClient &client : clients) shown.push_back({{"client_id", client.id}});
  return {{"clients", std::move(shown)},
          {"lifetime_s", lifetime_s},
          {"refresh_lifetime_s", refresh_lifetime_s},
          {"rotation_strict", rotation_strict},
          {"rotation_grace_s", rotation_grace_s},
          {"first_refresh_tokens", first_refresh_tokens.size()},
          {"min_interval_s", min_interval_s}};
}

std::vector<std::string> OAuthSettings::secrets() const {
  std::vector<std::string> result = first_refresh_tokens;
  for (const OAuthClient &client : clients) result.push_back(client.secret);
  return result;
}

Response oauth_answer(const json &body) {
  Response response = json_response(200, body);
  response.set_header("Cache-Control", "no-store");
  response.set_header("Pragma", "no-cache");
  return response;
}

Response oauth_error(int status, const std::string &error, const std::string &description) {
  Response response = oauth_answer({{"error", error}, {"error_description", description}});
  response.status = status;
  return response;
}

Response oauth_too_fast() { return oauth_error(429, "temporarily_unavailable", "Too many requests"); }

std::optional<std::string> OAuthCall::field(std::string_view name) const {
  auto value = single(form, name);
  return value && !value->empty() ? value : std::nullopt;
}

OAuthEndpoint::OAuthEndpoint(World &world, std::string provider)
    : world_(world),
      provider_(std::move(provider)),
      refresh_tokens_(world.tokens, provider_, [](const std::string &, std::int64_t, std::int64_t) { return random_hex(20); }) {}

void OAuthEndpoint::plant(const OAuthSettings &settings, std::int64_t lifetime_s) {
  for (const std::string &token : settings.first_refresh_tokens) {
    refresh_tokens_.plant(token, settings.clients.front().id, world_.clock.now_s(), lifetime_s);
  }
}

void OAuthEndpoint::uproot(const OAuthSettings &before) {
  for (const std::string &token : before.first_refresh_tokens) world_.tokens.revoke(provider_, fingerprint(token), "");
}

std::variant<OAuthCall, Response> OAuthEndpoint::read(const OAuthSettings &settings, const OAuthClientRules &rules, Exchange &exchange) {
  const Request &request = exchange.request;
  if (request.content_type() != "application/x-www-form-urlencoded") {
    return invalid_request("Content-Type must be application/x-www-form-urlencoded");
  }
  auto form = parse_fields(request.body);
  if (!form) return invalid_request("The form is malformed");
  if (repeats_a_field(*form)) return invalid_request("A parameter is repeated");
  OAuthCall call{std::move(*form), ""};

  const auto claimed = claimed_client(rules, call, request);
  if (const auto *refusal = std::get_if<Response>(&claimed)) return *refusal;
  const auto &wanted = std::get<OAuthClient>(claimed);
  for (const OAuthClient &client : settings.clients) {
    if (client.id != wanted.id) continue;
    exchange.account(client.id);
    if (!equal_constant_time(client.secret, wanted.secret)) continue;
    call.client_id = client.id;
    return call;
  }
  return invalid_client("The client is unknown, or its secret is wrong");
}

std::optional<Response> OAuthEndpoint::throttle(const OAuthSettings &settings, const std::string &who, Response refusal) {
  const auto interval_ms = static_cast<std::int64_t>(settings.min_interval_s * 1000);
  const auto wait_s = world_.throttle.refuse(provider_ + " " + who, interval_ms, world_.clock.now_ms());
  if (!wait_s) return std::nullopt;
  refusal.set_header("Retry-After", std::to_string(*wait_s));
  return refusal;
}

RefreshGrant OAuthEndpoint::new_family(const OAuthSettings &settings, const std::string &client_id) {
  return refresh_tokens_.issue(client_id, world_.clock.now_s(), settings.refresh_lifetime_s);
}

std::variant<RefreshGrant, Response> OAuthEndpoint::redeem(const OAuthSettings &settings, bool rotate, const OAuthCall &call,
                                                           Exchange &exchange) {
  const auto token = call.field("refresh_token");
  if (!token) return invalid_request("refresh_token is required");
  exchange.presented(*token);
  const std::int64_t now = world_.clock.now_s();
  // Nobody uses up the token of another client.
  const TokenCheck owner = world_.tokens.check(provider_, RefreshTokens::kind, *token, now);
  if (owner.account != call.client_id) return oauth_error(400, "invalid_grant", "The refresh token is unknown");

  const RefreshPolicy policy{rotate, settings.rotation_strict, settings.rotation_grace_s, settings.refresh_lifetime_s};
  RefreshGrant grant = refresh_tokens_.redeem(*token, now, policy);
  switch (grant.state) {
    case RefreshState::good:
      return grant;
    case RefreshState::expired:
      return oauth_error(400, "invalid_grant", "The refresh token is expired");
    case RefreshState::revoked:
      return oauth_error(400, "invalid_grant", "The refresh token is revoked");
    case RefreshState::reused:
      return oauth_error(400, "invalid_grant", "The refresh token was used before");
    case RefreshState::unknown:
      break;
  }
  return oauth_error(400, "invalid_grant", "The refresh token is unknown");
}

Response OAuthEndpoint::revoke(const OAuthCall &call, Exchange &exchange) {
  const auto token = call.field("token");
  if (!token) return invalid_request("token is required");
  exchange.presented(*token);
  const std::int64_t now = world_.clock.now_s();
  const TokenCheck refresh = world_.tokens.check(provider_, RefreshTokens::kind, *token, now);
  const TokenCheck access = world_.tokens.check(provider_, access_kind, *token, now);
  // A token of another client stays as it is.
  if (refresh.account == call.client_id) revoke_family(refresh.family);
  if (access.account == call.client_id) world_.tokens.revoke(provider_, fingerprint(*token), call.client_id);
  return {200, {}, "", "", {}};
}

void OAuthEndpoint::add_access(Exchange &exchange, const OAuthSettings &settings, Token token) {
  token.provider = provider_;
  token.kind = access_kind;
  token.issued_s = world_.clock.now_s();
  token.expires_s = token.issued_s + settings.lifetime_s;
  exchange.issued(token.value, token.expires_s);
  world_.tokens.add(std::move(token));
}

void OAuthEndpoint::add_access(Exchange &exchange, const OAuthSettings &settings, const std::string &value, const std::string &client_id) {
  Token token;
  token.value = value;
  token.account = client_id;
  add_access(exchange, settings, std::move(token));
}

void OAuthEndpoint::add_access(Exchange &exchange, const OAuthSettings &settings, const std::string &value, const RefreshGrant &grant) {
  Token token;
  token.value = value;
  token.account = grant.account;
  token.family = grant.family;
  add_access(exchange, settings, std::move(token));
  // The family may have been revoked since the grant: then the late-comer must not outlive it.
  const TokenCheck refresh = world_.tokens.check(provider_, RefreshTokens::kind, grant.token, world_.clock.now_s());
  if (refresh.state == TokenState::revoked) revoke_family(grant.family);
}

std::optional<TokenCheck> OAuthEndpoint::check_bearer(Exchange &exchange) const {
  const auto token = credentials_of_scheme(exchange.request, "Bearer");
  if (!token) return std::nullopt;
  exchange.presented(*token);
  TokenCheck check = world_.tokens.check(provider_, access_kind, *token, world_.clock.now_s());
  exchange.account(check.account);
  return check;
}

}  // namespace fleetauth::emulator
