// What the token and revocation endpoints of OAuth 2.0 servers have in common (RFC 6749, RFC 7009).
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "json_members.h"
#include "provider.h"
#include "refresh_tokens.h"

namespace fleetauth::emulator {

struct OAuthClient {
  std::string id = "demo-client";
  std::string secret = "demo-secret";
};

// How clients prove who they are.
struct OAuthClientRules {
  bool basic = true;
  bool post = false;          // client_id and client_secret in the form
  bool form_encoded = false;  // whether Basic holds them form-encoded (RFC 6749, section 2.3.1) or as they are
};

// The settings that every such server has.
struct OAuthSettings {
  std::vector<OAuthClient> clients{OAuthClient{}};
  std::int64_t lifetime_s = 3600;
  std::int64_t refresh_lifetime_s = 2'592'000;
  bool rotation_strict = true;
  std::int64_t rotation_grace_s = 0;
  std::vector<std::string> first_refresh_tokens{"demo-refresh-token"};
  double min_interval_s = 0;

  void read(Members &members);
  json show() const;
  std::vector<std::string> secrets() const;
};

Response oauth_error(int status, const std::string &error, const std::string &description);
Response oauth_too_fast();
// An answer with tokens, which no cache may keep.
Response oauth_answer(const json &body);

// A call whose form is well made and whose client is known.
struct OAuthCall {
  Fields form;
  std::string client_id;

  // The value of a field; one without a value counts as absent.
  std::optional<std::string> field(std::string_view name) const;
};

class OAuthEndpoint {
 public:
  static constexpr const char *access_kind = "access";

  OAuthEndpoint(World &world, std::string provider);

  // The first refresh tokens become good, each in a family of its own. They are the first client's.
  void plant(const OAuthSettings &settings, std::int64_t lifetime_s);
  // The first refresh tokens of `before` are no longer good.
  void uproot(const OAuthSettings &before);

  // The call, or how it is refused.
  std::variant<OAuthCall, Response> read(const OAuthSettings &settings, const OAuthClientRules &rules, Exchange &exchange);
  // The refusal, with Retry-After, of a caller that is too fast.
  std::optional<Response> throttle(const OAuthSettings &settings, const std::string &who, Response refusal);

  RefreshGrant new_family(const OAuthSettings &settings, const std::string &client_id);
  // The grant of a refresh_token call, or how it is refused.
  std::variant<RefreshGrant, Response> redeem(const OAuthSettings &settings, bool rotate, const OAuthCall &call, Exchange &exchange);
  void revoke_family(const std::string &family) { refresh_tokens_.revoke_family(family); }
  // Answers any token with 200. A refresh token takes its family along, an access token goes alone.
  Response revoke(const OAuthCall &call, Exchange &exchange);

  void add_access(Exchange &exchange, const OAuthSettings &settings, const std::string &value, const std::string &client_id);
  // One that shares the fate of a refresh token's family.
  void add_access(Exchange &exchange, const OAuthSettings &settings, const std::string &value, const RefreshGrant &grant);
  // The state of the Bearer token of an API call; nothing when there is none.
  std::optional<TokenCheck> check_bearer(Exchange &exchange) const;

 private:
  void add_access(Exchange &exchange, const OAuthSettings &settings, Token token);

  World &world_;
  const std::string provider_;
  RefreshTokens refresh_tokens_;
};

}  // namespace fleetauth::emulator
