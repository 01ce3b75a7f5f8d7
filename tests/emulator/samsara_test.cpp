#include "crypto.h"
#include "fixture.h"

namespace fleetauth::emulator {
namespace {

constexpr const char *kForm = "application/x-www-form-urlencoded";
constexpr const char *kFirst = "grant_type=refresh_token&refresh_token=demo-refresh-token";
constexpr const char *kCode = "grant_type=authorization_code&code=demo-code&redirect_uri=https%3A%2F%2Fclient.example%2Fcallback";

std::string basic(const std::string &id = "demo-client", const std::string &secret = "demo-secret") {
  return "Basic " + base64_encode(id + ":" + secret);
}

class EmulatorSamsara : public EmulatorTest {
 protected:
  struct Pair {
    std::string access;
    std::string refresh;
  };

  httplib::Result call(const std::string &path, const std::string &form, const std::string &authorization = basic()) const {
    return post(path, {{"Authorization", authorization}}, form, kForm);
  }
  httplib::Result token_call(const std::string &form, const std::string &authorization = basic()) const {
    return call("/samsara/oauth2/token", form, authorization);
  }
  httplib::Result refresh(const std::string &token) const { return token_call("grant_type=refresh_token&refresh_token=" + token); }
  // The tokens of a call that must succeed.
  Pair tokens(const httplib::Result &answer) const {
    EXPECT_EQ(answer->status, 200) << answer->body;
    const json body = json::parse(answer->body);
    return {body.value("access_token", ""), body.value("refresh_token", "")};
  }
  int revoke(const std::string &token, const std::string &authorization = basic()) const {
    return call("/samsara/oauth2/revoke", "token=" + token, authorization)->status;
  }
  int vehicles(const std::string &token) const { return get("/samsara/fleet/vehicles", {{"Authorization", "Bearer " + token}})->status; }
  void set(const json &settings) const { admin_post("/config", {{"samsara", settings}}); }
  void expect_error(const httplib::Result &answer, int status, const std::string &error) const {
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
    EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-store");
    const json body = json::parse(answer->body);
    EXPECT_EQ(body["error"], error);
    EXPECT_TRUE(body["error_description"].is_string());
    EXPECT_EQ(body.size(), 2U);
  }
};

TEST_F(EmulatorSamsara, RefreshReplacesBothTokens) {
  const auto answer = token_call(kFirst);
  ASSERT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-store");
  EXPECT_EQ(answer->get_header_value("Pragma"), "no-cache");
  const json body = json::parse(answer->body);
  EXPECT_EQ(body.size(), 5U);
  EXPECT_EQ(body["expires_in"], 3600);
  EXPECT_EQ(body["token_type"], "bearer");
  EXPECT_TRUE(body["scope"].is_string());
  const Pair first = tokens(answer);
  const Pair second = tokens(refresh(first.refresh));
  EXPECT_NE(first.access, second.access);
  EXPECT_NE(first.refresh, second.refresh);
  EXPECT_EQ(vehicles(first.access), 200);
  EXPECT_EQ(vehicles(second.access), 200);
  EXPECT_EQ(vehicles(second.refresh), 401);
  const json log = entries();
  EXPECT_EQ(log[0]["account"], "demo-client");
  EXPECT_EQ(log[0]["token_expires_s"], kStart + 3600);
  EXPECT_EQ(log[0]["body"]["grant_type"], "refresh_token");
  EXPECT_EQ(log[0]["body"]["refresh_token"], "<redacted string>");
}

TEST_F(EmulatorSamsara, AUsedRefreshTokenEndsItsFamily) {
  const Pair first = tokens(token_call(kFirst));
  const Pair second = tokens(refresh(first.refresh));
  expect_error(refresh(first.refresh), 400, "invalid_grant");
  EXPECT_EQ(vehicles(first.access), 401);
  EXPECT_EQ(vehicles(second.access), 401);
  expect_error(refresh(second.refresh), 400, "invalid_grant");
}

TEST_F(EmulatorSamsara, WithoutStrictnessOnlyTheUsedTokenIsRefused) {
  set({{"rotation_strict", false}});
  const Pair first = tokens(token_call(kFirst));
  expect_error(token_call(kFirst), 400, "invalid_grant");
  EXPECT_EQ(vehicles(first.access), 200);
  tokens(refresh(first.refresh));
}

TEST_F(EmulatorSamsara, GraceLetsAUsedTokenWorkForAWhile) {
  set({{"rotation_grace_s", 10}});
  const Pair first = tokens(token_call(kFirst));
  advance(9);
  const Pair again = tokens(token_call(kFirst));
  EXPECT_NE(first.refresh, again.refresh);
  advance(1);
  expect_error(token_call(kFirst), 400, "invalid_grant");
  EXPECT_EQ(vehicles(again.access), 401);
}

TEST_F(EmulatorSamsara, TokensExpire) {
  set({{"lifetime_s", 60}, {"refresh_lifetime_s", 600}});
  const Pair first = tokens(token_call(kFirst));
  advance(59);
  EXPECT_EQ(vehicles(first.access), 200);
  advance(1);
  EXPECT_EQ(vehicles(first.access), 401);
  advance(540);
  expect_error(refresh(first.refresh), 400, "invalid_grant");
}

TEST_F(EmulatorSamsara, FirstRefreshTokensCanBeSetAnew) {
  tokens(token_call(kFirst));
  expect_error(token_call(kFirst), 400, "invalid_grant");
  set({{"first_refresh_tokens", {"demo-refresh-token", "another"}}, {"refresh_lifetime_s", 100}});
  const Pair first = tokens(token_call(kFirst));
  // Families are apart.
  const Pair other = tokens(refresh("another"));
  expect_error(refresh("another"), 400, "invalid_grant");
  EXPECT_EQ(vehicles(other.access), 401);
  EXPECT_EQ(vehicles(first.access), 200);

  set({{"first_refresh_tokens", {"demo-refresh-token"}}});
  expect_error(refresh("another"), 400, "invalid_grant");
  advance(100);
  expect_error(token_call(kFirst), 400, "invalid_grant");
}

TEST_F(EmulatorSamsara, CodeIsGoodOnceAndOnlyWithItsRedirectUri) {
  expect_error(token_call("grant_type=authorization_code&code=demo-code"), 400, "invalid_request");
  expect_error(token_call("grant_type=authorization_code&redirect_uri=https://client.example/callback"), 400, "invalid_request");
  expect_error(token_call("grant_type=authorization_code&code=demo-code&redirect_uri=https://client.example/"), 400, "invalid_grant");
  expect_error(token_call("grant_type=authorization_code&code=wrong&redirect_uri=https://client.example/callback"), 400, "invalid_grant");
  const Pair first = tokens(token_call(kCode));
  const Pair second = tokens(refresh(first.refresh));
  EXPECT_EQ(vehicles(second.access), 200);

  expect_error(token_call(kCode), 400, "invalid_grant");
  EXPECT_EQ(vehicles(first.access), 401);
  EXPECT_EQ(vehicles(second.access), 401);
  expect_error(refresh(second.refresh), 400, "invalid_grant");
  // The other family goes on.
  tokens(token_call(kFirst));

  set({{"code", "demo-code"}});
  tokens(token_call(kCode));
}

TEST_F(EmulatorSamsara, ClientsAuthenticateWithBasicOnly) {
  for (const std::string &wrong : {basic("demo-client", "demo-secrex"), basic("other-client"), std::string("Basic"),
                                   std::string("Basic !!!!"), "Bearer " + base64_encode("demo-client:demo-secret")}) {
    const auto answer = token_call(kFirst, wrong);
    expect_error(answer, 401, "invalid_client");
    EXPECT_TRUE(answer->get_header_value("WWW-Authenticate").starts_with("Basic "));
    EXPECT_EQ(revoke("x", wrong), 401);
  }
  const std::string post_credentials = "&client_id=demo-client&client_secret=demo-secret";
  expect_error(post("/samsara/oauth2/token", {}, kFirst + post_credentials, kForm), 401, "invalid_client");
  expect_error(token_call(kFirst + post_credentials), 400, "invalid_request");
  expect_error(token_call(kFirst + std::string("&client_id=other")), 400, "invalid_request");
  // None of these used the token up.
  tokens(token_call(kFirst + std::string("&client_id=demo-client")));
}

struct BadCall {
  const char *what;
  const char *form;
  const char *error;
};
void PrintTo(const BadCall &call, std::ostream *out) { *out << call.what; }

class EmulatorSamsaraBadCall : public EmulatorSamsara, public testing::WithParamInterface<BadCall> {};

TEST_P(EmulatorSamsaraBadCall, IsRefusedAsTheRfcSays) { expect_error(token_call(GetParam().form), 400, GetParam().error); }

INSTANTIATE_TEST_SUITE_P(
    Forms, EmulatorSamsaraBadCall,
    testing::Values(BadCall{"Empty", "", "invalid_request"}, BadCall{"NoGrantType", "refresh_token=demo-refresh-token", "invalid_request"},
                    BadCall{"EmptyGrantType", "grant_type=&refresh_token=demo-refresh-token", "invalid_request"},
                    BadCall{"OtherGrantType", "grant_type=client_credentials", "unsupported_grant_type"},
                    BadCall{"NoRefreshToken", "grant_type=refresh_token", "invalid_request"},
                    BadCall{"EmptyRefreshToken", "grant_type=refresh_token&refresh_token=", "invalid_request"},
                    BadCall{"UnknownRefreshToken", "grant_type=refresh_token&refresh_token=demo", "invalid_grant"},
                    BadCall{"RepeatedGrantType", "grant_type=refresh_token&grant_type=refresh_token&refresh_token=demo-refresh-token",
                            "invalid_request"},
                    BadCall{"RepeatedToken", "grant_type=refresh_token&refresh_token=demo-refresh-token&refresh_token=demo-refresh-token",
                            "invalid_request"},
                    BadCall{"RepeatedUnknown", "grant_type=refresh_token&refresh_token=demo-refresh-token&x=1&x=2", "invalid_request"},
                    BadCall{"BrokenEscape", "grant_type=refresh_token&refresh_token=demo%2", "invalid_request"}),
    [](const auto &each) { return std::string(each.param.what); });

TEST_F(EmulatorSamsara, TheBodyIsAForm) {
  const std::string as_json = R"({"grant_type":"refresh_token","refresh_token":"demo-refresh-token"})";
  expect_error(post("/samsara/oauth2/token", {{"Authorization", basic()}}, as_json), 400, "invalid_request");
  expect_error(post("/samsara/oauth2/token", {{"Authorization", basic()}}, kFirst, "text/plain"), 400, "invalid_request");
  EXPECT_EQ(post("/samsara/oauth2/token", {{"Authorization", basic()}}, kFirst, "application/x-www-form-urlencoded; charset=utf-8")->status,
            200);
}

TEST_F(EmulatorSamsara, RevokingARefreshTokenEndsItsFamily) {
  const Pair first = tokens(token_call(kFirst));
  const Pair second = tokens(refresh(first.refresh));
  const auto answer = call("/samsara/oauth2/revoke", "token=" + second.refresh + "&token_type_hint=refresh_token");
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "");
  EXPECT_EQ(vehicles(first.access), 401);
  EXPECT_EQ(vehicles(second.access), 401);
  expect_error(refresh(second.refresh), 400, "invalid_grant");
}

TEST_F(EmulatorSamsara, RevokingAnAccessTokenEndsItAlone) {
  const Pair first = tokens(token_call(kFirst));
  const Pair second = tokens(refresh(first.refresh));
  EXPECT_EQ(call("/samsara/oauth2/revoke", "token=" + second.access + "&token_type_hint=refresh_token")->status, 200);
  EXPECT_EQ(vehicles(second.access), 401);
  EXPECT_EQ(vehicles(first.access), 200);
  tokens(refresh(second.refresh));
}

TEST_F(EmulatorSamsara, RevocationOfWhatIsNotThereSucceeds) {
  EXPECT_EQ(revoke("unknown"), 200);
  const Pair first = tokens(token_call(kFirst));
  EXPECT_EQ(revoke(first.access), 200);
  EXPECT_EQ(revoke(first.access), 200);
  expect_error(call("/samsara/oauth2/revoke", ""), 400, "invalid_request");
  expect_error(call("/samsara/oauth2/revoke", "token=a&token=b"), 400, "invalid_request");
  expect_error(post("/samsara/oauth2/revoke", {{"Authorization", basic()}}, R"({"token":"a"})"), 400, "invalid_request");
}

TEST_F(EmulatorSamsara, ClientsCannotTouchEachOthersTokens) {
  set({{"clients",
        json::array({{{"client_id", "demo-client"}, {"client_secret", "demo-secret"}}, {{"client_id", "b"}, {"client_secret", "c"}}})}});
  expect_error(token_call(kFirst, basic("b", "c")), 400, "invalid_grant");
  EXPECT_EQ(revoke("demo-refresh-token", basic("b", "c")), 200);
  const Pair first = tokens(token_call(kFirst));
  EXPECT_EQ(revoke(first.access, basic("b", "c")), 200);
  EXPECT_EQ(vehicles(first.access), 200);
  // A used token in wrong hands is no sign of theft from its owner.
  expect_error(token_call(kFirst, basic("b", "c")), 400, "invalid_grant");
  EXPECT_EQ(vehicles(first.access), 200);
}

TEST_F(EmulatorSamsara, StaticApiTokensAreBearerTokensToo) {
  EXPECT_EQ(vehicles("demo-samsara-token"), 200);
  EXPECT_EQ(vehicles("demo-samsara-tokem"), 401);
  EXPECT_EQ(get("/samsara/fleet/vehicles", {{"Authorization", "Token demo-samsara-token"}})->status, 401);
  set({{"api_tokens", json::array()}});
  EXPECT_EQ(vehicles("demo-samsara-token"), 401);
  const auto refused = get("/samsara/fleet/vehicles");
  EXPECT_EQ(refused->status, 401);
  EXPECT_TRUE(json::parse(refused->body)["message"].is_string());
  EXPECT_EQ(get("/samsara/nothing")->status, 404);
  EXPECT_EQ(get("/samsara/oauth2/token")->status, 405);
}

TEST_F(EmulatorSamsara, TheAdminApiRevokesToo) {
  const Pair first = tokens(token_call(kFirst));
  admin_post("/revoke", {{"provider", "samsara"}, {"account", "demo-client"}});
  EXPECT_EQ(vehicles(first.access), 401);
  expect_error(refresh(first.refresh), 400, "invalid_grant");
}

TEST_F(EmulatorSamsara, ThrottlesTokenCallsAndApiCallsApart) {
  set({{"min_interval_s", 2}});
  const Pair first = tokens(token_call(kFirst));
  EXPECT_EQ(vehicles(first.access), 200);
  const auto refused = refresh(first.refresh);
  expect_error(refused, 429, "temporarily_unavailable");
  EXPECT_EQ(refused->get_header_value("Retry-After"), "2");
  EXPECT_EQ(vehicles(first.access), 429);
  advance(2);
  tokens(refresh(first.refresh));  // the refusal did not use it up
}

TEST_F(EmulatorSamsara, SettingsAreStrictAndHoldNoSecret) {
  for (const char *wrong : {R"({"client":[]})", R"({"clients":[]})", R"({"clients":[{"client_id":"a"}]})",
                            R"({"clients":[{"client_id":"a:b","client_secret":"c"}]})", R"({"first_refresh_tokens":[""]})",
                            R"({"first_refresh_tokens":"demo"})", R"({"lifetime_s":0})", R"({"rotation_grace_s":-1})",
                            R"({"rotation_strict":1})", R"({"rotation":false})", R"({"refresh_lifetime_s":0})", R"({"code":1})"}) {
    EXPECT_EQ(post("/_emulator/config", admin_headers(), R"({"samsara":)" + std::string(wrong) + "}")->status, 400) << wrong;
  }
  const std::string shown = admin_get("/state")["providers"]["samsara"]["settings"].dump();
  for (const char *hidden : {"demo-secret", "demo-refresh-token", "demo-code", "demo-samsara-token"}) {
    EXPECT_THAT(shown, testing::Not(testing::HasSubstr(hidden)));
  }
}

TEST_F(EmulatorSamsara, TheLogHidesSecretsAndTokens) {
  const Pair first = tokens(token_call(kFirst));
  token_call(kCode);
  token_call("grant_type=demo-secret&redirect_uri=demo-code&scope=" + first.refresh + "&demo-samsara-token=" + first.access);
  revoke(first.access);
  get("/samsara/" + first.refresh + "?" + first.access + "=demo-refresh-token");
  const std::string log = entries().dump();
  for (const std::string &hidden : {first.access, first.refresh, std::string("demo-secret"), std::string("demo-refresh-token"),
                                    std::string("demo-code"), std::string("demo-samsara-token"), std::string("ZGVtby1jbGll")}) {
    EXPECT_THAT(log, testing::Not(testing::HasSubstr(hidden)));
  }
}

}  // namespace
}  // namespace fleetauth::emulator
