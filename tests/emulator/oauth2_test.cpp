#include "crypto.h"
#include "fixture.h"

namespace fleetauth::emulator {
namespace {

constexpr const char *kForm = "application/x-www-form-urlencoded";
constexpr const char *kClientCredentials = "grant_type=client_credentials";
constexpr const char *kFirst = "grant_type=refresh_token&refresh_token=demo-refresh-token";

std::string basic(const std::string &id = "demo-client", const std::string &secret = "demo-secret") {
  return "Basic " + base64_encode(id + ":" + secret);
}

json decode_part(std::string part) {
  for (char &c : part) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (part.size() % 4 != 0) part += '=';
  return json::parse(base64_decode(part).value());
}

class EmulatorOAuth2 : public EmulatorTest {
 protected:
  httplib::Result token_call(const std::string &form = kClientCredentials, const std::string &authorization = basic()) const {
    return post("/oauth2/token", {{"Authorization", authorization}}, form, kForm);
  }
  httplib::Result post_call(const std::string &form) const { return post("/oauth2/token", {}, form, kForm); }
  // The answer of a call that must succeed.
  json answer(const httplib::Result &result) const {
    EXPECT_EQ(result->status, 200) << result->body;
    return json::parse(result->body);
  }
  std::string token() const { return answer(token_call())["access_token"]; }
  httplib::Result resource(const std::string &token) const { return get("/oauth2-api/resource", {{"Authorization", "Bearer " + token}}); }
  httplib::Result revoke(const std::string &token, const std::string &authorization = basic()) const {
    return post("/oauth2/revoke", {{"Authorization", authorization}}, "token=" + token, kForm);
  }
  void set(const json &settings) const { admin_post("/config", {{"oauth2", settings}}); }
  void expect_error(const httplib::Result &result, int status, const std::string &error) const {
    EXPECT_EQ(result->status, status) << result->body;
    EXPECT_EQ(result->get_header_value("Content-Type"), "application/json");
    const json body = json::parse(result->body);
    EXPECT_EQ(body["error"], error);
    EXPECT_TRUE(body["error_description"].is_string());
    EXPECT_EQ(result->get_header_value("WWW-Authenticate").starts_with("Basic "), status == 401);
  }
  void expect_invalid_token(const std::string &token) const {
    const auto refused = resource(token);
    EXPECT_EQ(refused->status, 401);
    EXPECT_TRUE(refused->get_header_value("WWW-Authenticate").starts_with("Bearer error=\"invalid_token\""));
    EXPECT_EQ(json::parse(refused->body)["error"], "invalid_token");
  }
};

TEST_F(EmulatorOAuth2, ClientCredentialsBringAnAccessToken) {
  const auto result = token_call();
  EXPECT_EQ(result->get_header_value("Cache-Control"), "no-store");
  const json body = answer(result);
  EXPECT_EQ(body.size(), 4U);
  EXPECT_EQ(body["token_type"], "Bearer");
  EXPECT_EQ(body["expires_in"], 3600);
  EXPECT_EQ(body["scope"], "fleet.read fleet.write");
  EXPECT_EQ(body["access_token"].get<std::string>().size(), 40U);
  const auto opened = resource(body["access_token"]);
  EXPECT_EQ(opened->status, 200);
  EXPECT_EQ(json::parse(opened->body)["client_id"], "demo-client");
  EXPECT_EQ(entries()[0]["token"], entries()[1]["credential"]);
  EXPECT_NE(token(), token());
}

TEST_F(EmulatorOAuth2, ClientsAuthenticateInEitherWayButNotInBoth) {
  const std::string in_form = std::string(kClientCredentials) + "&client_id=demo-client&client_secret=demo-secret";
  answer(token_call());
  answer(post_call(in_form));
  answer(token_call(std::string(kClientCredentials) + "&client_id=demo-client"));
  expect_error(token_call(in_form), 400, "invalid_request");
  expect_error(token_call(std::string(kClientCredentials) + "&client_id=other"), 400, "invalid_request");
  expect_error(post_call(kClientCredentials), 401, "invalid_client");
  expect_error(post_call(std::string(kClientCredentials) + "&client_id=demo-client"), 401, "invalid_client");
  expect_error(post_call(std::string(kClientCredentials) + "&client_id=demo-client&client_secret="), 401, "invalid_client");
  expect_error(post_call(std::string(kClientCredentials) + "&client_id=demo-client&client_secret=demo-secreT"), 401, "invalid_client");
  for (const std::string &wrong : {basic("demo-client", "demo-secreT"), basic("other"), std::string("Basic !!"), std::string("Bearer x")}) {
    expect_error(token_call(kClientCredentials, wrong), 401, "invalid_client");
  }
}

TEST_F(EmulatorOAuth2, TheWayOfAuthenticationCanBeNarrowed) {
  const std::string in_form = std::string(kClientCredentials) + "&client_id=demo-client&client_secret=demo-secret";
  set({{"token_endpoint_auth", "basic"}});
  answer(token_call());
  expect_error(post_call(in_form), 401, "invalid_client");
  set({{"token_endpoint_auth", "post"}});
  answer(post_call(in_form));
  expect_error(token_call(), 401, "invalid_client");
  EXPECT_EQ(post("/oauth2/revoke", {}, "token=x&client_id=demo-client&client_secret=demo-secret", kForm)->status, 200);
  EXPECT_EQ(revoke("x")->status, 401);
}

TEST_F(EmulatorOAuth2, BasicHoldsIdAndSecretFormEncoded) {
  set({{"clients", json::array({{{"client_id", "a:b"}, {"client_secret", "s p+%/é"}}})}});
  answer(token_call(kClientCredentials, basic("a%3Ab", "s+p%2B%25%2F%C3%A9")));
  answer(token_call(kClientCredentials, basic("a%3ab", "s%20p%2B%25%2f%c3%a9")));
  expect_error(token_call(kClientCredentials, basic("a:b", "s p+%/é")), 401, "invalid_client");
  expect_error(token_call(kClientCredentials, basic("a%3Ab", "s+p%2B%25/%C3%A9")), 401, "invalid_client");  // '/' cannot stand there
  expect_error(token_call(kClientCredentials, basic("a%3Ab", "s+p%2")), 401, "invalid_client");
  answer(post_call(std::string(kClientCredentials) + "&client_id=a%3Ab&client_secret=s+p%2B%25%2F%C3%A9"));

  set({{"basic_encoding", "plain"}, {"clients", json::array({{{"client_id", "a"}, {"client_secret", "s p+%/é:"}}})}});
  answer(token_call(kClientCredentials, basic("a", "s p+%/é:")));
  expect_error(token_call(kClientCredentials, basic("a", "s+p%2B%25%2F%C3%A9%3A")), 401, "invalid_client");
}

TEST_F(EmulatorOAuth2, ScopeIsEchoedOrRefused) {
  const std::string scoped = std::string(kClientCredentials) + "&scope=";
  EXPECT_EQ(answer(token_call(scoped + "fleet.read"))["scope"], "fleet.read");
  EXPECT_EQ(answer(token_call(scoped + "fleet.write+fleet.read"))["scope"], "fleet.write fleet.read");
  EXPECT_EQ(answer(token_call(scoped))["scope"], "fleet.read fleet.write");
  for (const char *wrong : {"fleet.admin", "fleet.read+fleet.admin", "Fleet.read", "fleet.read++fleet.write", "+fleet.read", "fleet.read+",
                            "fleet.read,fleet.write"}) {
    expect_error(token_call(scoped + wrong), 400, "invalid_scope");
  }
  // Before the refresh token is used.
  expect_error(token_call(std::string(kFirst) + "&scope=fleet.admin"), 400, "invalid_scope");
  EXPECT_EQ(answer(token_call(std::string(kFirst) + "&scope=fleet.read"))["scope"], "fleet.read");
  set({{"scopes", json::array()}});
  EXPECT_FALSE(answer(token_call()).contains("scope"));
}

TEST_F(EmulatorOAuth2, AudiencesCanBeRequired) {
  const std::string with_audience = std::string(kClientCredentials) + "&audience=";
  answer(token_call(with_audience + "https://anything.example"));
  set({{"token_style", "jwt"}});
  expect_error(token_call(with_audience + "%FF"), 400, "invalid_target");
  set({{"audiences", {"https://fleet.example/api"}}});
  answer(token_call(with_audience + "https%3A%2F%2Ffleet.example%2Fapi"));
  expect_error(token_call(with_audience + "https://anything.example"), 400, "invalid_target");
  expect_error(token_call(), 400, "invalid_request");
  answer(token_call(kFirst));
}

TEST_F(EmulatorOAuth2, TokensMayBeJwts) {
  set({{"token_style", "jwt"}, {"lifetime_s", 60}});
  const std::string t = answer(token_call(std::string(kClientCredentials) + "&scope=fleet.read&audience=fleet"))["access_token"];
  const std::size_t first = t.find('.');
  const std::size_t second = t.find('.', first + 1);
  EXPECT_EQ(decode_part(t.substr(0, first)), json::parse(R"({"alg":"HS256","typ":"JWT"})"));
  const json claims = decode_part(t.substr(first + 1, second - first - 1));
  EXPECT_EQ(claims["sub"], "demo-client");
  EXPECT_EQ(claims["aud"], "fleet");
  EXPECT_EQ(claims["scope"], "fleet.read");
  EXPECT_EQ(claims["iat"], kStart);
  EXPECT_EQ(claims["exp"], kStart + 60);
  EXPECT_EQ(t.size() - second - 1, 43U);  // HMAC-SHA-256, base64url
  EXPECT_EQ(resource(t)->status, 200);
  expect_invalid_token(t.substr(0, t.size() - 1));
  EXPECT_NE(token(), token());
  EXPECT_THAT(entries().dump(), testing::Not(testing::HasSubstr(t)));
}

TEST_F(EmulatorOAuth2, ExpiresInHasSeveralShapes) {
  set({{"expires_in", "string"}, {"lifetime_s", 7}});
  EXPECT_EQ(answer(token_call())["expires_in"], "7");
  set({{"expires_in", "absent"}});
  EXPECT_FALSE(answer(token_call()).contains("expires_in"));
  set({{"expires_in", "number"}});
  EXPECT_EQ(answer(token_call())["expires_in"], 7);
}

TEST_F(EmulatorOAuth2, RefreshTokenStaysUnlessItRotates) {
  const json first = answer(token_call(kFirst));
  EXPECT_FALSE(first.contains("refresh_token"));
  answer(token_call(kFirst));
  set({{"rotation", true}});
  const json second = answer(token_call(kFirst));
  const std::string next = second["refresh_token"];
  answer(token_call("grant_type=refresh_token&refresh_token=" + next));
  expect_error(token_call(kFirst), 400, "invalid_grant");
  expect_invalid_token(first["access_token"]);
  expect_invalid_token(second["access_token"]);
}

TEST_F(EmulatorOAuth2, ReuseMayBeHarmless) {
  set({{"rotation", true}, {"rotation_strict", false}, {"rotation_grace_s", 5}});
  answer(token_call(kFirst));
  advance(4);
  const json second = answer(token_call(kFirst));
  advance(1);
  expect_error(token_call(kFirst), 400, "invalid_grant");
  EXPECT_EQ(resource(second["access_token"])->status, 200);
}

TEST_F(EmulatorOAuth2, RefreshTokensExpire) {
  set({{"rotation", true}, {"refresh_lifetime_s", 100}});
  const std::string next = answer(token_call(kFirst))["refresh_token"];
  advance(100);
  expect_error(token_call("grant_type=refresh_token&refresh_token=" + next), 400, "invalid_grant");
  set({{"first_refresh_tokens", {"later"}}});
  expect_error(token_call(kFirst), 400, "invalid_grant");
  advance(99);
  answer(token_call("grant_type=refresh_token&refresh_token=later"));
}

struct BadCall {
  const char *what;
  const char *form;
  const char *error;
};
void PrintTo(const BadCall &call, std::ostream *out) { *out << call.what; }

class EmulatorOAuth2BadCall : public EmulatorOAuth2, public testing::WithParamInterface<BadCall> {};

TEST_P(EmulatorOAuth2BadCall, IsRefusedAsTheRfcSays) { expect_error(token_call(GetParam().form), 400, GetParam().error); }

INSTANTIATE_TEST_SUITE_P(
    Forms, EmulatorOAuth2BadCall,
    testing::Values(BadCall{"Empty", "", "invalid_request"}, BadCall{"EmptyGrantType", "grant_type=", "invalid_request"},
                    BadCall{"OtherGrantType", "grant_type=password&username=a&password=b", "unsupported_grant_type"},
                    BadCall{"GrantTypeInCapitals", "grant_type=CLIENT_CREDENTIALS", "unsupported_grant_type"},
                    BadCall{"NoRefreshToken", "grant_type=refresh_token", "invalid_request"},
                    BadCall{"UnknownRefreshToken", "grant_type=refresh_token&refresh_token=x", "invalid_grant"},
                    BadCall{"RepeatedGrantType", "grant_type=client_credentials&grant_type=client_credentials", "invalid_request"},
                    BadCall{"RepeatedScope", "grant_type=client_credentials&scope=fleet.read&scope=fleet.write", "invalid_request"},
                    BadCall{"RepeatedUnknown", "grant_type=client_credentials&x=&x=", "invalid_request"},
                    BadCall{"BrokenEscape", "grant_type=client_credentials&scope=%zz", "invalid_request"}),
    [](const auto &each) { return std::string(each.param.what); });

TEST_F(EmulatorOAuth2, TheBodyIsAForm) {
  expect_error(post("/oauth2/token", {{"Authorization", basic()}}, R"({"grant_type":"client_credentials"})"), 400, "invalid_request");
  expect_error(post("/oauth2/token", {{"Authorization", basic()}}, kClientCredentials, "text/plain"), 400, "invalid_request");
  // Neither the query.
  expect_error(post("/oauth2/token?grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret", {}, "x=1", kForm), 401,
               "invalid_client");
  answer(token_call(std::string(kClientCredentials) + "&unknown=1"));
}

TEST_F(EmulatorOAuth2, BadBearerTokensAreToldApart) {
  const std::string t = token();
  const auto missing = get("/oauth2-api/resource");
  EXPECT_EQ(missing->status, 401);
  EXPECT_EQ(missing->get_header_value("WWW-Authenticate"), "Bearer realm=\"fleet\"");
  EXPECT_EQ(get("/oauth2-api/resource", {{"Authorization", "Token " + t}})->status, 401);
  EXPECT_EQ(get("/oauth2-api/resource", {{"Authorization", basic()}})->status, 401);
  EXPECT_EQ(get("/oauth2-api/resource?access_token=" + t)->status, 401);
  EXPECT_EQ(get("/oauth2-api/resource", {{"Authorization", "bearer " + t}})->status, 200);
  expect_invalid_token("unknown");
  expect_invalid_token(" " + t);
  expect_invalid_token("demo-refresh-token");
  advance(3599);
  EXPECT_EQ(resource(t)->status, 200);
  advance(1);
  expect_invalid_token(t);
}

TEST_F(EmulatorOAuth2, RevocationFollowsRfc7009) {
  const std::string t = token();
  const std::string other = token();
  const auto revoked = revoke(t);
  EXPECT_EQ(revoked->status, 200);
  EXPECT_EQ(revoked->body, "");
  expect_invalid_token(t);
  EXPECT_EQ(resource(other)->status, 200);
  EXPECT_EQ(revoke(t)->status, 200);
  EXPECT_EQ(revoke("unknown")->status, 200);
  expect_error(post("/oauth2/revoke", {{"Authorization", basic()}}, "", kForm), 400, "invalid_request");
  expect_error(revoke(other, basic("demo-client", "wrong")), 401, "invalid_client");
  EXPECT_EQ(resource(other)->status, 200);

  const std::string refreshed = answer(token_call(kFirst))["access_token"];
  EXPECT_EQ(revoke("demo-refresh-token")->status, 200);
  expect_invalid_token(refreshed);
  expect_error(token_call(kFirst), 400, "invalid_grant");
  EXPECT_EQ(resource(other)->status, 200);
}

TEST_F(EmulatorOAuth2, AnotherProvidersTokensAreItsOwn) {
  // Both have a first refresh token of the same text.
  const auto elsewhere = post("/samsara/oauth2/token", {{"Authorization", basic()}}, kFirst, kForm);
  expect_invalid_token(answer(elsewhere)["access_token"]);
  EXPECT_EQ(revoke(answer(elsewhere)["refresh_token"])->status, 200);
  EXPECT_EQ(revoke("demo-refresh-token")->status, 200);
  answer(post("/samsara/oauth2/token", {{"Authorization", basic()}},
              "grant_type=refresh_token&refresh_token=" + answer(elsewhere)["refresh_token"].get<std::string>(), kForm));
}

TEST_F(EmulatorOAuth2, ThrottlesEachClient) {
  set({{"min_interval_s", 3}});
  const std::string t = token();
  const auto refused = token_call();
  expect_error(refused, 429, "temporarily_unavailable");
  EXPECT_EQ(refused->get_header_value("Retry-After"), "3");
  EXPECT_EQ(resource(t)->status, 200);
  EXPECT_EQ(resource(t)->status, 429);
  advance(3);
  token();
}

TEST_F(EmulatorOAuth2, SettingsAreStrictAndHoldNoSecret) {
  for (const char *wrong :
       {R"({"scope":"a"})", R"({"scopes":["a b"]})", R"({"scopes":[""]})", R"({"token_endpoint_auth":"none"})", R"({"token_style":"saml"})",
        R"({"expires_in":3600})", R"({"basic_encoding":"base64"})", R"({"rotation":"yes"})", R"({"clients":[{"client_id":"a"}]})",
        R"({"clients":[{"client_id":"a","client_secret":"b","scopes":[]}]})", R"({"audiences":"a"})", R"({"code":"a"})"}) {
    EXPECT_EQ(post("/_emulator/config", admin_headers(), R"({"oauth2":)" + std::string(wrong) + "}")->status, 400) << wrong;
  }
  const json shown = admin_get("/state")["providers"]["oauth2"];
  EXPECT_EQ(shown["base_paths"], json::parse(R"({"auth":"/oauth2","api":"/oauth2-api"})"));
  EXPECT_EQ(shown["settings"]["clients"], json::parse(R"([{"client_id":"demo-client"}])"));
  EXPECT_THAT(shown.dump(), testing::Not(testing::HasSubstr("demo-secret")));
  EXPECT_THAT(shown.dump(), testing::Not(testing::HasSubstr("demo-refresh-token")));
}

TEST_F(EmulatorOAuth2, UnknownPathsAndMethods) {
  EXPECT_EQ(get("/oauth2/token")->status, 405);
  EXPECT_EQ(get("/oauth2/resource")->status, 404);
  EXPECT_EQ(get("/oauth2-api/token")->status, 404);
}

TEST_F(EmulatorOAuth2, TheLogHidesSecretsAndTokens) {
  const std::string t = token();
  post_call("grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret&scope=fleet.read&audience=" + t);
  token_call("grant_type=demo-refresh-token&scope=demo-secret&" + t + "=demo-secret");
  token_call(kFirst);
  revoke(t);
  const json log = entries();
  EXPECT_EQ(log[1]["body"]["client_id"], "demo-client");
  EXPECT_EQ(log[1]["body"]["scope"], "fleet.read");
  EXPECT_EQ(log[1]["body"]["client_secret"], "<redacted string>");
  for (const std::string &hidden : {t, std::string("demo-secret"), std::string("demo-refresh-token"), std::string("ZGVtby1jbGll")}) {
    EXPECT_THAT(log.dump(), testing::Not(testing::HasSubstr(hidden)));
  }
}

}  // namespace
}  // namespace fleetauth::emulator
