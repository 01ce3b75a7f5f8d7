#include <openssl/evp.h>

#include "fixture.h"

namespace fleetauth::emulator {
namespace {

class EmulatorFleetUp : public EmulatorTest {
 protected:
  std::string legacy_token() const {
    const auto answer = get("/fleetup/token?acctId=12345&secret=your-app-secret", api_key());
    return json::parse(answer->body)["token"];
  }
  httplib::Result last_location(const std::string &token, const std::string &body = R"({"acctId":12345})") const {
    return post("/fleetup/gpsdata/device-last-location", {{"x-api-key", "demo-api-key"}, {"token", token}}, body);
  }
};

json decode_part(std::string part) {
  for (char &c : part) c = c == '-' ? '+' : c == '_' ? '/' : c;
  std::size_t padding = 0;
  for (; part.size() % 4 != 0; ++padding) part += '=';
  std::string decoded(part.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char *>(decoded.data()), reinterpret_cast<const unsigned char *>(part.data()),
                  static_cast<int>(part.size()));
  decoded.resize(decoded.size() - padding);
  return json::parse(decoded);
}

TEST_F(EmulatorFleetUp, TokenIsTheDocumentedJwtAndNothingElse) {
  const auto answer = fleetup_login();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
  const json body = json::parse(answer->body);
  EXPECT_EQ(body.size(), 1U);
  const std::string token = body["token"];
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  EXPECT_EQ(decode_part(token.substr(0, first)), json::parse(R"({"typ":"JWT","alg":"HS256"})"));
  const json claims = decode_part(token.substr(first + 1, second - first - 1));
  EXPECT_EQ(claims["iat"], kStart);
  EXPECT_EQ(claims["exp"], kStart + 3600);
  EXPECT_EQ(claims["iss"], "FleetUp");
  EXPECT_EQ(claims["sub"], "FleetUp OpenAPI");
  EXPECT_EQ(claims["sessionInfo"]["accountId"], 12345);
  EXPECT_TRUE(claims["sessionInfo"]["operatorId"].is_null());
  EXPECT_EQ(claims["sessionInfo"].size(), 6U);
  EXPECT_EQ(token.size() - second - 1, 43U);  // HMAC-SHA-256, base64url
}

TEST_F(EmulatorFleetUp, TokensOfOneSecondDiffer) { EXPECT_NE(fleetup_token(), fleetup_token()); }

struct BadLogin {
  const char *what;
  const char *body;
  int status;
};

class EmulatorFleetUpBadLogin : public EmulatorFleetUp, public testing::WithParamInterface<BadLogin> {};

TEST_P(EmulatorFleetUpBadLogin, IsRefusedWithAMessage) {
  const auto answer = post("/fleetup/token", api_key(), GetParam().body);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, GetParam().status);
  EXPECT_TRUE(json::parse(answer->body)["message"].is_string());
  EXPECT_EQ(entries().back()["token"], json());
}

INSTANTIATE_TEST_SUITE_P(Bodies, EmulatorFleetUpBadLogin,
                         testing::Values(BadLogin{"AcctIdIsText", R"({"acctId":"12345","secret":"your-app-secret"})", 400},
                                         BadLogin{"AcctIdIsMissing", R"({"secret":"your-app-secret"})", 400},
                                         BadLogin{"AcctIdIsNull", R"({"acctId":null,"secret":"your-app-secret"})", 400},
                                         BadLogin{"SecretIsMissing", R"({"acctId":12345})", 400},
                                         BadLogin{"SecretIsNumber", R"({"acctId":12345,"secret":1})", 400},
                                         BadLogin{"NotAnObject", "[]", 400}, BadLogin{"NotJson", "acctId=12345", 400},
                                         BadLogin{"Empty", "", 400},
                                         BadLogin{"WrongSecret", R"({"acctId":12345,"secret":"your-app-secreT"})", 401},
                                         BadLogin{"LongerSecret", R"({"acctId":12345,"secret":"your-app-secret2"})", 401},
                                         BadLogin{"WrongAccount", R"({"acctId":12346,"secret":"your-app-secret"})", 401},
                                         BadLogin{"Fraction", R"({"acctId":12345.5,"secret":"your-app-secret"})", 401},
                                         BadLogin{"Huge", R"({"acctId":18446744073709551615,"secret":"your-app-secret"})", 401}),
                         [](const auto &test) { return test.param.what; });

TEST_F(EmulatorFleetUp, ANumberMayBeWrittenWithAFraction) {
  const auto answer = post("/fleetup/token", api_key(), R"({"acctId":12345.0,"secret":"your-app-secret"})");
  EXPECT_EQ(answer->status, 200);
}

TEST_F(EmulatorFleetUp, BodyMustBeDeclaredAsJson) {
  const std::string body = R"({"acctId":12345,"secret":"your-app-secret"})";
  EXPECT_EQ(post("/fleetup/token", api_key(), body, "text/plain")->status, 400);
  EXPECT_EQ(post("/fleetup/token", api_key(), body, "application/json; charset=utf-8")->status, 200);
}

TEST_F(EmulatorFleetUp, ApiKeyIsRequiredOnceAndRight) {
  const std::string body = R"({"acctId":12345,"secret":"your-app-secret"})";
  EXPECT_EQ(post("/fleetup/token", {}, body)->status, 401);
  EXPECT_EQ(post("/fleetup/token", {{"x-api-key", ""}}, body)->status, 401);
  EXPECT_EQ(post("/fleetup/token", {{"x-api-key", "demo-api-kex"}}, body)->status, 401);
  EXPECT_EQ(post("/fleetup/token", {{"x-api-key", "demo-api-key"}, {"x-api-key", "demo-api-key"}}, body)->status, 401);
}

TEST_F(EmulatorFleetUp, AKeyOfAnotherAccountDoesNotOpenThisOne) {
  admin_post("/config", {{"fleetup",
                          {{"accounts", json::array({{{"acctId", 1}, {"secret", "secret-1"}, {"api_key", "key-1"}},
                                                     {{"acctId", 2}, {"secret", "secret-2"}, {"api_key", "key-2"}}})}}}});
  const std::string first = R"({"acctId":1,"secret":"secret-1"})";
  EXPECT_EQ(post("/fleetup/token", {{"x-api-key", "key-1"}}, first)->status, 200);
  EXPECT_EQ(post("/fleetup/token", {{"x-api-key", "key-2"}}, first)->status, 401);
}

TEST_F(EmulatorFleetUp, ResourcesTakeTheBearerTokenAndTheApiKey) {
  const std::string token = fleetup_token();
  const auto answer = get("/fleetup/devices", {{"x-api-key", "demo-api-key"}, {"Authorization", "bearer " + token}});
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(json::parse(answer->body)["data"][0]["acctId"], "12345");
  EXPECT_EQ(get("/fleetup/gpsdata", {{"x-api-key", "demo-api-key"}, {"Authorization", "Bearer " + token}})->status, 200);

  EXPECT_EQ(get("/fleetup/devices", {{"Authorization", "Bearer " + token}})->status, 401);
  EXPECT_EQ(get("/fleetup/devices", api_key())->status, 401);
  EXPECT_EQ(get("/fleetup/devices", {{"x-api-key", "demo-api-key"}, {"token", token}})->status, 401);
  EXPECT_EQ(get("/fleetup/devices", {{"x-api-key", "demo-api-key"}, {"Authorization", token}})->status, 401);
  EXPECT_EQ(fleetup_devices(token + "x"), 401);

  admin_post("/config", {{"fleetup", {{"api_key_on_resources", false}}}});
  EXPECT_EQ(get("/fleetup/devices", {{"Authorization", "Bearer " + token}})->status, 200);
}

TEST_F(EmulatorFleetUp, TokenEndsWithItsLifetime) {
  const std::string token = fleetup_token();
  advance(3599);
  EXPECT_EQ(fleetup_devices(token), 200);
  advance(1);
  EXPECT_EQ(fleetup_devices(token), 401);
}

TEST_F(EmulatorFleetUp, NoContentAndInvalidParameters) {
  const httplib::Headers headers{{"x-api-key", "demo-api-key"}, {"Authorization", "Bearer " + fleetup_token()}};
  const auto empty = get("/fleetup/trips/ongoing-trips", headers);
  EXPECT_EQ(empty->status, 204);
  EXPECT_EQ(empty->body, "");
  EXPECT_EQ(get("/fleetup/gpsdata?from=100&to=86500", headers)->status, 200);
  EXPECT_EQ(get("/fleetup/gpsdata?from=100&to=86501", headers)->status, 422);
  EXPECT_EQ(get("/fleetup/gpsdata?from=200&to=100", headers)->status, 422);
  EXPECT_EQ(get("/fleetup/gpsdata?from=yesterday", headers)->status, 422);
}

TEST_F(EmulatorFleetUp, UnknownPathsAndMethods) {
  EXPECT_EQ(get("/fleetup/nothing", api_key())->status, 404);
  EXPECT_EQ(post("/fleetup/devices", api_key(), "{}")->status, 405);
  EXPECT_EQ(get("/nobody/token")->status, 404);
}

TEST_F(EmulatorFleetUp, LegacyTokenAndItsHeader) {
  const auto answer = get("/fleetup/token?acctId=12345&secret=your-app-secret", api_key());
  ASSERT_EQ(answer->status, 200);
  const json body = json::parse(answer->body);
  EXPECT_EQ(body["expireTime"], kStart + 3600);
  const std::string token = body["token"];
  EXPECT_EQ(last_location(token)->status, 200);
  advance(3600);
  EXPECT_EQ(last_location(token)->status, 401);
}

TEST_F(EmulatorFleetUp, LegacyTokenAsksForEveryParameter) {
  EXPECT_EQ(get("/fleetup/token", api_key())->status, 400);
  EXPECT_EQ(get("/fleetup/token?acctId=12345", api_key())->status, 400);
  EXPECT_EQ(get("/fleetup/token?acctId=x&secret=your-app-secret", api_key())->status, 400);
  EXPECT_EQ(get("/fleetup/token?acctId=12345&secret=wrong", api_key())->status, 401);
  EXPECT_EQ(get("/fleetup/token?acctId=12345&secret=your-app-secret")->status, 401);
}

TEST_F(EmulatorFleetUp, LegacyResourceChecksTokenAndBody) {
  const std::string token = legacy_token();
  EXPECT_EQ(last_location("")->status, 401);
  EXPECT_EQ(last_location(fleetup_token())->status, 401);  // a JWT is no legacy token
  EXPECT_EQ(fleetup_devices(token), 401);                  // nor the other way round
  EXPECT_EQ(last_location(token, "[]")->status, 400);
  EXPECT_EQ(last_location(token, R"({"acctId":"12345"})")->status, 422);
  EXPECT_EQ(last_location(token, R"({"acctId":1})")->status, 403);
  EXPECT_EQ(post("/fleetup/gpsdata/device-last-location", {{"token", token}}, R"({"acctId":12345})")->status, 401);
}

TEST_F(EmulatorFleetUp, EnterpriseAccountsMustPostAndHaveTwoResources) {
  admin_post("/config",
             {{"fleetup",
               {{"accounts",
                 json::array({{{"acctId", 12345}, {"secret", "your-app-secret"}, {"api_key", "demo-api-key"}, {"enterprise", true}}})}}}});
  EXPECT_EQ(get("/fleetup/token?acctId=12345&secret=your-app-secret", api_key())->status, 403);
  const httplib::Headers headers{{"x-api-key", "demo-api-key"}, {"Authorization", "Bearer " + fleetup_token()}};
  EXPECT_EQ(get("/fleetup/devices", headers)->status, 200);
  EXPECT_EQ(get("/fleetup/gpsdata", headers)->status, 200);
  EXPECT_EQ(get("/fleetup/trips/ongoing-trips", headers)->status, 403);
}

TEST_F(EmulatorFleetUp, ThrottlesByTheEmulatorsClock) {
  admin_post("/config", {{"fleetup", {{"min_interval_s", 1}}}});
  EXPECT_EQ(fleetup_login()->status, 200);
  const auto refused = fleetup_login();
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->get_header_value("Retry-After"), "1");
  advance(1);
  EXPECT_EQ(fleetup_login()->status, 200);
}

TEST_F(EmulatorFleetUp, MayHandOutTheSameTokenAgain) {
  admin_post("/config", {{"fleetup", {{"same_token_margin_s", 240}}}});
  const std::string token = fleetup_token();
  advance(3600 - 240);
  EXPECT_EQ(fleetup_token(), token);
  advance(1);
  EXPECT_NE(fleetup_token(), token);
}

}  // namespace
}  // namespace fleetauth::emulator
