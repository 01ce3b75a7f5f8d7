#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "fixture.h"

namespace fleetauth::emulator {
namespace {

class EmulatorFleetOrchestrator : public EmulatorTest {
 protected:
  httplib::Result call(const std::string &path, const json &body) const { return post("/fo" + path, {}, body.dump()); }
  httplib::Result login(const std::string &user = "admin", const std::string &password = "demo-password") const {
    return call("/auth/login", {{"email", user + "@fleet.example"}, {"password", password}});
  }
  json tokens(const std::string &user = "admin") const { return json::parse(login(user)->body); }
  httplib::Result refresh(const json &tokens) const { return call("/auth/refresh-token", {{"refreshToken", tokens["refreshToken"]}}); }
  httplib::Result resource(const std::string &path, const std::string &token) const {
    return get("/fo" + path, {{"Authorization", "Bearer " + token}});
  }
  httplib::Result whoami(const json &tokens) const { return resource("/auth/whoami", tokens["accessToken"]); }
  httplib::Result verify(const std::string &user, const std::string &otp, const json &first_step) const {
    json body = {{"email", user + "@fleet.example"}, {"otp", otp}};
    if (first_step.contains("tempToken")) body["tempToken"] = first_step["tempToken"];
    return call("/auth/verify-otp", body);
  }
  void set(const json &settings) const { admin_post("/config", {{"fleet_orchestrator", settings}}); }

  static void expect_error(const httplib::Result &answer, int status, const std::string &message) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status) << answer->body;
    EXPECT_EQ(json::parse(answer->body), (json{{"message", message}}));
  }
};

json part_of_jwt(const std::string &token, int index) {
  std::istringstream parts(token);
  std::string part;
  for (int i = 0; i <= index; ++i) std::getline(parts, part, '.');
  for (char &c : part) c = c == '-' ? '+' : c == '_' ? '/' : c;
  std::size_t padding = 0;
  for (; part.size() % 4 != 0; ++padding) part += '=';
  std::string decoded(part.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char *>(decoded.data()), reinterpret_cast<const unsigned char *>(part.data()),
                  static_cast<int>(part.size()));
  decoded.resize(decoded.size() - padding);
  return json::parse(decoded);
}

// RFC 6238 over the secret of its test vectors, which is totp@fleet.example's.
std::string totp_at(std::int64_t unix_s) {
  constexpr std::string_view key = "12345678901234567890";
  std::array<unsigned char, 8> counter{};
  auto step = static_cast<std::uint64_t>(unix_s / 30);
  for (int i = 7; i >= 0; --i, step >>= 8U) counter[static_cast<std::size_t>(i)] = static_cast<unsigned char>(step & 255U);
  std::array<unsigned char, 20> mac{};
  unsigned int size = 0;
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), counter.data(), counter.size(), mac.data(), &size);
  const std::size_t at = mac[19] & 15U;
  const std::uint32_t number = (mac[at] & 127U) << 24U | static_cast<std::uint32_t>(mac[at + 1]) << 16U |
                               static_cast<std::uint32_t>(mac[at + 2]) << 8U | mac[at + 3];
  return std::to_string(1'000'000 + number % 1'000'000).substr(1);
}

TEST_F(EmulatorFleetOrchestrator, LoginAnswerIsTheDocumentedOne) {
  const auto answer = login("dispatcher");
  ASSERT_EQ(answer->status, 200);
  const json body = json::parse(answer->body);
  EXPECT_EQ(body.size(), 4U);
  EXPECT_EQ(body["expiresIn"], 3600);
  EXPECT_EQ(body["user"].size(), 5U);
  EXPECT_EQ(body["user"]["email"], "dispatcher@fleet.example");
  EXPECT_EQ(body["user"]["role"], "dispatcher");
  for (const char *member : {"_id", "companyRef", "siteRef"}) EXPECT_TRUE(body["user"][member].is_string()) << member;
  for (const auto &[member, lifetime] : {std::pair{"accessToken", 3600}, std::pair{"refreshToken", 604'800}}) {
    EXPECT_EQ(part_of_jwt(body[member], 0), json::parse(R"({"typ":"JWT","alg":"HS256"})"));
    EXPECT_EQ(part_of_jwt(body[member], 1)["iat"], kStart);
    EXPECT_EQ(part_of_jwt(body[member], 1)["exp"], kStart + lifetime);
  }
  EXPECT_EQ(json::parse(whoami(body)->body), body["user"]);
}

TEST_F(EmulatorFleetOrchestrator, TokensOfOneSecondDiffer) {
  const json first = tokens();
  const json second = tokens();
  EXPECT_NE(first["accessToken"], second["accessToken"]);
  EXPECT_NE(first["refreshToken"], second["refreshToken"]);
}

TEST_F(EmulatorFleetOrchestrator, WrongCredentials) {
  expect_error(login("admin", "wrong"), 401, "Invalid Credentials");
  expect_error(login("nobody"), 401, "Invalid Credentials");
  expect_error(login("admin", "demo-password2"), 401, "Invalid Credentials");
  expect_error(login("otp", "wrong"), 401, "Invalid Credentials");
  expect_error(call("/auth/auto-login", {{"apiKey", "demo-fo-api-keY"}}), 401, "Invalid Credentials");
}

struct BadBody {
  const char *what;
  const char *path;
  const char *body;
};

class EmulatorFleetOrchestratorBadBody : public EmulatorFleetOrchestrator, public testing::WithParamInterface<BadBody> {};

TEST_P(EmulatorFleetOrchestratorBadBody, IsRefusedWithAMessage) {
  const auto answer = post(std::string("/fo/auth/") + GetParam().path, {}, GetParam().body);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_TRUE(json::parse(answer->body)["message"].is_string());
  EXPECT_FALSE(entries().back().contains("token"));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, EmulatorFleetOrchestratorBadBody,
    testing::Values(BadBody{"NumericPassword", "login", R"({"email":"admin@fleet.example","password":1})"},
                    BadBody{"NoPassword", "login", R"({"email":"admin@fleet.example"})"},
                    BadBody{"EmptyPassword", "login", R"({"email":"admin@fleet.example","password":""})"},
                    BadBody{"NullEmail", "login", R"({"email":null,"password":"demo-password"})"},
                    BadBody{"NoEmail", "login", R"({"username":"admin@fleet.example","password":"demo-password"})"},
                    BadBody{"Array", "login", "[]"}, BadBody{"NotJson", "login", "email=admin@fleet.example"},
                    BadBody{"Empty", "login", ""}, BadBody{"NoApiKey", "auto-login", R"({"api_key":"demo-fo-api-key"})"},
                    BadBody{"NumericApiKey", "auto-login", R"({"apiKey":1})"},
                    BadBody{"NoRefreshToken", "refresh-token", R"({"refresh_token":"x"})"},
                    BadBody{"NumericRefreshToken", "refresh-token", R"({"refreshToken":1})"},
                    BadBody{"NumericOtp", "verify-otp", R"({"email":"otp@fleet.example","otp":123456,"tempToken":"x"})"},
                    BadBody{"NoHandle", "verify-otp", R"({"email":"otp@fleet.example","otp":"123456"})"},
                    BadBody{"NoOtp", "verify-otp", R"({"email":"otp@fleet.example","tempToken":"x"})"}),
    [](const auto &bad) { return bad.param.what; });

TEST_F(EmulatorFleetOrchestrator, BodiesAreJsonByTheirType) {
  const std::string body = R"({"email":"admin@fleet.example","password":"demo-password"})";
  EXPECT_EQ(post("/fo/auth/login", {}, body, "application/json; charset=utf-8")->status, 200);
  EXPECT_EQ(post("/fo/auth/login", {}, body, "text/plain")->status, 400);
  EXPECT_EQ(post("/fo/auth/login", {}, body, "application/x-www-form-urlencoded")->status, 400);
}

TEST_F(EmulatorFleetOrchestrator, AutoLoginAnswersAsLogin) {
  const auto answer = call("/auth/auto-login", {{"apiKey", "demo-fo-api-key"}});
  ASSERT_EQ(answer->status, 200);
  const json body = json::parse(answer->body);
  EXPECT_EQ(body.size(), 4U);
  EXPECT_EQ(body["user"]["email"], "admin@fleet.example");
  EXPECT_EQ(whoami(body)->status, 200);
  EXPECT_EQ(refresh(body)->status, 200);
}

TEST_F(EmulatorFleetOrchestrator, AccessTokenEndsAndIsRefreshed) {
  const json first = tokens();
  advance(3599);
  EXPECT_EQ(whoami(first)->status, 200);
  advance(1);
  expect_error(whoami(first), 401, "Token Expired");
  const auto answer = refresh(first);
  ASSERT_EQ(answer->status, 200);
  const json second = json::parse(answer->body);
  EXPECT_EQ(second.size(), 2U);  // no refresh token, as in the sample
  EXPECT_EQ(second["expiresIn"], 3600);
  EXPECT_EQ(whoami(second)->status, 200);
  EXPECT_EQ(refresh(first)->status, 200);
}

TEST_F(EmulatorFleetOrchestrator, RefreshTokenLivesSevenDaysFromLogin) {
  const json first = tokens();
  advance(604'799);
  EXPECT_EQ(refresh(first)->status, 200);
  advance(1);
  expect_error(refresh(first), 401, "Token Expired");
}

TEST_F(EmulatorFleetOrchestrator, TokensServeTheirOwnPurpose) {
  const json first = tokens();
  expect_error(resource("/auth/whoami", first["refreshToken"]), 401, "Invalid Token");
  expect_error(refresh({{"refreshToken", first["accessToken"]}}), 401, "Invalid Token");
  expect_error(resource("/auth/whoami", first["accessToken"].get<std::string>() + "x"), 401, "Invalid Token");
  expect_error(resource("/auth/whoami", fleetup_token()), 401, "Invalid Token");
  expect_error(get("/fo/auth/whoami"), 401, "Invalid Token");
  expect_error(get("/fo/auth/whoami", {{"Authorization", first["accessToken"]}}), 401, "Invalid Token");
  EXPECT_EQ(get("/fo/auth/whoami", {{"Authorization", "bearer " + first["accessToken"].get<std::string>()}})->status, 200);
}

TEST_F(EmulatorFleetOrchestrator, RotationBringsASuccessor) {
  set({{"rotate_refresh", true}});
  const json first = tokens();
  advance(604'799);
  const json second = json::parse(refresh(first)->body);
  EXPECT_EQ(second.size(), 3U);
  EXPECT_NE(second["refreshToken"], first["refreshToken"]);
  expect_error(refresh(first), 401, "Invalid Token");
  advance(604'799);  // its time started anew
  EXPECT_EQ(refresh(second)->status, 200);
}

TEST_F(EmulatorFleetOrchestrator, StrictRotationEndsTheLoginOfAReusedToken) {
  set({{"rotate_refresh", true}, {"rotation_strict", true}});
  const json other = tokens();
  const json first = tokens();
  const json second = json::parse(refresh(first)->body);
  EXPECT_EQ(whoami(second)->status, 200);
  expect_error(refresh(first), 401, "Invalid Token");
  expect_error(refresh(second), 401, "Invalid Token");
  expect_error(whoami(second), 401, "Invalid Token");
  EXPECT_EQ(refresh(other)->status, 200);
}

TEST_F(EmulatorFleetOrchestrator, RotationMayHaveAGrace) {
  set({{"rotate_refresh", true}, {"rotation_strict", true}, {"rotation_grace_s", 10}});
  const json first = tokens();
  EXPECT_EQ(refresh(first)->status, 200);
  advance(9);
  const json twin = json::parse(refresh(first)->body);
  advance(1);
  expect_error(refresh(first), 401, "Invalid Token");
  expect_error(refresh(twin), 401, "Invalid Token");
}

TEST_F(EmulatorFleetOrchestrator, TokensCanBeRevokedByAccount) {
  const json admin = tokens();
  const json viewer = tokens("viewer");
  EXPECT_EQ(admin_post("/revoke", {{"provider", "fleet_orchestrator"}, {"account", "admin@fleet.example"}})["revoked"], 2);
  expect_error(whoami(admin), 401, "Invalid Token");
  expect_error(refresh(admin), 401, "Invalid Token");
  EXPECT_EQ(whoami(viewer)->status, 200);
}

TEST_F(EmulatorFleetOrchestrator, OneTimePasswordIsASecondStep) {
  const auto answer = login("otp");
  ASSERT_EQ(answer->status, 200);
  const json first = json::parse(answer->body);
  EXPECT_EQ(first.size(), 2U);
  EXPECT_EQ(first["requires2FA"], true);
  const auto verified = verify("otp", "123456", first);
  ASSERT_EQ(verified->status, 200);
  const json body = json::parse(verified->body);
  EXPECT_EQ(body.size(), 4U);
  EXPECT_EQ(body["user"]["email"], "otp@fleet.example");
  EXPECT_EQ(whoami(body)->status, 200);
  expect_error(verify("otp", "123456", first), 401, "Invalid Token");  // the handle is spent
}

TEST_F(EmulatorFleetOrchestrator, HandleDiesAfterWrongAttempts) {
  const json first = json::parse(login("otp")->body);
  expect_error(verify("otp", "000000", first), 401, "Invalid Credentials");
  expect_error(verify("otp", "000000", first), 401, "Invalid Credentials");
  expect_error(verify("otp", "000000", first), 401, "Invalid Credentials");
  expect_error(verify("otp", "123456", first), 401, "Invalid Token");

  set({{"otp_attempts", 1}});
  const json second = json::parse(login("otp")->body);
  expect_error(verify("otp", "000000", second), 401, "Invalid Credentials");
  expect_error(verify("otp", "123456", second), 401, "Invalid Token");
}

TEST_F(EmulatorFleetOrchestrator, HandleEndsAndIsItsUsersOwn) {
  const json first = json::parse(login("otp")->body);
  expect_error(verify("totp", totp_at(kStart), first), 401, "Invalid Token");
  expect_error(verify("otp", "123456", {{"tempToken", "made-up"}}), 401, "Invalid Token");
  expect_error(resource("/auth/whoami", first["tempToken"]), 401, "Invalid Token");
  advance(299);
  EXPECT_EQ(verify("otp", "123456", first)->status, 200);
  const json second = json::parse(login("otp")->body);
  advance(300);
  expect_error(verify("otp", "123456", second), 401, "Token Expired");
  const json third = json::parse(login("otp")->body);
  admin_post("/revoke", {{"provider", "fleet_orchestrator"}, {"account", "otp@fleet.example"}});
  expect_error(verify("otp", "123456", third), 401, "Invalid Token");
}

TEST_F(EmulatorFleetOrchestrator, SecondStepMayGoByEmailAlone) {
  set({{"otp_style", "bare"}});
  expect_error(verify("otp", "123456", json::object()), 401, "Invalid Token");  // no first step yet
  EXPECT_EQ(json::parse(login("otp")->body), (json{{"requires2FA", true}}));
  expect_error(verify("otp", "000000", json::object()), 401, "Invalid Credentials");
  EXPECT_EQ(verify("otp", "123456", json::object())->status, 200);
  expect_error(verify("otp", "123456", json::object()), 401, "Invalid Token");
}

TEST_F(EmulatorFleetOrchestrator, TimeBasedCodesWorkForThreeStepsAndOnce) {
  EXPECT_EQ(totp_at(1'111'111'109), "081804");  // RFC 6238, appendix B, the last six digits
  const auto attempt = [&](std::int64_t of) { return verify("totp", totp_at(of), json::parse(login("totp")->body)); };
  const std::int64_t start = 1'111'111'110;  // where a step starts
  admin_post("/clock", {{"set_s", start}});
  EXPECT_EQ(attempt(start)->status, 200);
  expect_error(attempt(start), 401, "Invalid Credentials");  // used
  EXPECT_EQ(attempt(start - 1)->status, 200);
  expect_error(attempt(start - 1), 401, "Invalid Credentials");
  expect_error(attempt(start - 31), 401, "Invalid Credentials");
  EXPECT_EQ(attempt(start + 59)->status, 200);
  expect_error(attempt(start + 60), 401, "Invalid Credentials");
  advance(30);
  expect_error(attempt(start + 30), 401, "Invalid Credentials");
  EXPECT_EQ(attempt(start + 60)->status, 200);
}

TEST_F(EmulatorFleetOrchestrator, ListsArePagedAndAskForBothNumbers) {
  const std::string token = tokens()["accessToken"];
  const json first = json::parse(resource("/reservations?limit=2&page=1", token)->body);
  EXPECT_EQ(first["page"], 1);
  EXPECT_EQ(first["limit"], 2);
  EXPECT_EQ(first["totalPages"], 3);
  EXPECT_EQ(first["totalResults"], 5);
  EXPECT_EQ(first["records"].size(), 2U);
  EXPECT_EQ(first.size(), 5U);
  const json last = json::parse(resource("/reservations?limit=2&page=3", token)->body);
  EXPECT_EQ(last["records"].size(), 1U);
  EXPECT_NE(last["records"][0], first["records"][0]);
  EXPECT_TRUE(json::parse(resource("/vehicles?limit=2&page=9223372036854775807", token)->body)["records"].empty());
  for (const char *query : {"", "?limit=2", "?page=1", "?limit=0&page=1", "?limit=2&page=0", "?limit=101&page=1", "?limit=x&page=1",
                            "?limit=2&page=1&page=1", "?limit=%&page=1"}) {
    EXPECT_EQ(resource(std::string("/vehicles") + query, token)->status, 400) << query;
  }
}

TEST_F(EmulatorFleetOrchestrator, RolesSeeWhatIsTheirs) {
  for (const char *user : {"admin", "dispatcher", "viewer"}) {
    EXPECT_EQ(resource("/vehicles?limit=5&page=1", tokens(user)["accessToken"])->status, 200) << user;
  }
  const json driver = tokens("driver");
  expect_error(resource("/vehicles?limit=5&page=1", driver["accessToken"]), 403, "Forbidden");
  const json own = json::parse(resource("/reservations?limit=5&page=1", driver["accessToken"])->body)["records"];
  EXPECT_EQ(own.size(), 2U);
  for (const json &each : own) EXPECT_EQ(each["driverRef"], driver["user"]["_id"]);
}

TEST_F(EmulatorFleetOrchestrator, WhoamiHasThreeShapes) {
  const json tokens = this->tokens();
  for (const char *shape : {"user", "data"}) {
    set({{"user_shape", shape}});
    EXPECT_EQ(json::parse(whoami(tokens)->body), (json{{shape, tokens["user"]}}));
  }
}

TEST_F(EmulatorFleetOrchestrator, ErrorsHaveFiveSpellings) {
  for (const auto &[style, body] :
       {std::pair{"message", R"({"message":"Invalid Credentials"})"}, std::pair{"error", R"({"error":"Invalid Credentials"})"},
        std::pair{"error_object", R"({"error":{"code":"invalid_credentials","message":"Invalid Credentials"}})"},
        std::pair{"status_code", R"({"statusCode":401,"error":"Unauthorized","message":"Invalid Credentials"})"},
        std::pair{"message_array", R"({"statusCode":401,"error":"Unauthorized","message":["Invalid Credentials"]})"}}) {
    set({{"error_style", style}});
    EXPECT_EQ(json::parse(login("admin", "wrong")->body), json::parse(body));
  }
  EXPECT_EQ(json::parse(get("/fo/auth/login")->body)["statusCode"], 405);
  EXPECT_EQ(json::parse(get("/fo/nothing")->body)["statusCode"], 404);
}

TEST_F(EmulatorFleetOrchestrator, LifetimeMayBeText) {
  set({{"expires_in_style", "string"}, {"lifetime_s", 60}});
  const json first = tokens();
  EXPECT_EQ(first["expiresIn"], "60");
  EXPECT_EQ(json::parse(refresh(first)->body)["expiresIn"], "60");
  advance(60);
  expect_error(whoami(first), 401, "Token Expired");
}

TEST_F(EmulatorFleetOrchestrator, ThrottlesEachUserAndPath) {
  set({{"min_interval_s", 2}});
  const json first = tokens();
  const auto refused = login();
  expect_error(refused, 429, "Too Many Requests");
  EXPECT_EQ(refused->get_header_value("Retry-After"), "2");
  EXPECT_EQ(login("viewer")->status, 200);
  EXPECT_EQ(refresh(first)->status, 200);
  EXPECT_EQ(refresh(first)->status, 429);
  EXPECT_EQ(whoami(first)->status, 200);
  EXPECT_EQ(whoami(first)->status, 429);
  advance(2);
  EXPECT_EQ(login()->status, 200);
}

TEST_F(EmulatorFleetOrchestrator, UsersAndKeysCanBeConfigured) {
  const json first = tokens();
  set({{"users", json::array({{{"email", "a@b.example"},
                               {"password", "pw-of-a"},
                               {"role", "viewer"},
                               {"id", "u1"},
                               {"company", "c1"},
                               {"site", "s1"},
                               {"otp", "0000"}}})},
       {"api_keys", json::array({{{"api_key", "key-of-a"}, {"email", "a@b.example"}}})}});
  expect_error(whoami(first), 401, "Invalid Token");  // its user is gone
  expect_error(refresh(first), 401, "Invalid Token");
  const json body = json::parse(call("/auth/auto-login", {{"apiKey", "key-of-a"}})->body);
  EXPECT_EQ(body["user"], json::parse(R"({"_id":"u1","email":"a@b.example","role":"viewer","companyRef":"c1","siteRef":"s1"})"));
  EXPECT_EQ(json::parse(call("/auth/login", {{"email", "a@b.example"}, {"password", "pw-of-a"}})->body)["requires2FA"], true);
}

TEST_F(EmulatorFleetOrchestrator, ConfigurationIsChecked) {
  const json user = {{"email", "a@b.example"}, {"password", "pw-of-a"}};
  const auto with = [&](const json &more) {
    json changed = user;
    changed.update(more);
    return json{{"users", json::array({changed})}};
  };
  for (const json &wrong :
       {json{{"users", json::array()}}, json{{"users", json::array({user, user})}}, with({{"role", "boss"}}), with({{"otp", 123456}}),
        with({{"otp", "1"}, {"totp_secret", "GEZDGNBV"}}), with({{"totp_secret", "not base32!"}}), with({{"extra", 1}}),
        json{{"api_keys", json::array({{{"api_key", "k"}, {"email", "nobody@fleet.example"}}})}}, json{{"otp_style", "x"}},
        json{{"otp_attempts", 0}}, json{{"rotate_refresh", "yes"}}, json{{"unknown", 1}}}) {
    const auto answer = post("/_emulator/config", admin_headers(), json{{"fleet_orchestrator", wrong}}.dump());
    EXPECT_EQ(answer->status, 400) << wrong;
    EXPECT_THAT(answer->body, testing::HasSubstr("fleet_orchestrator"));
  }
  EXPECT_EQ(login()->status, 200);  // nothing has changed
}

TEST_F(EmulatorFleetOrchestrator, LogAndStateHoldNoSecret) {
  const json first = json::parse(login("otp")->body);
  const json body = json::parse(verify("otp", "123456", first)->body);
  refresh(body);
  get("/fo/" + first["tempToken"].get<std::string>() + "/" + body["refreshToken"].get<std::string>());
  call("/auth/auto-login", {{"apiKey", "demo-fo-api-key"}});
  call("/auth/login", {{"email", "demo-password"}, {"password", "demo-password"}});
  call("/auth/verify-otp", {{"email", "demo-fo-api-key"}, {"otp", "123456"}, {"tempToken", first["tempToken"]}});
  const std::string log = get("/_emulator/log", admin_headers())->body;
  const std::string state = get("/_emulator/state", admin_headers())->body;
  for (const std::string &secret :
       {std::string("demo-password"), std::string("demo-fo-api-key"), std::string("123456"), std::string("GEZDGNBV"),
        first["tempToken"].get<std::string>(), body["refreshToken"].get<std::string>(), body["accessToken"].get<std::string>()}) {
    EXPECT_THAT(log, testing::Not(testing::HasSubstr(secret)));
    EXPECT_THAT(state, testing::Not(testing::HasSubstr(secret)));
  }
  EXPECT_EQ(json::parse(log)["entries"][0]["body"]["email"], "otp@fleet.example");
  EXPECT_EQ(json::parse(log)["entries"][0]["account"], "otp@fleet.example");
}

}  // namespace
}  // namespace fleetauth::emulator
