#include "fixture.h"

namespace fleetauth::emulator {
namespace {

class EmulatorTrimbleMaps : public EmulatorTest {
 protected:
  httplib::Result authenticate(const json &body) const { return post("/trimble/accounts/authenticate", {}, body.dump()); }
  std::string token(const json &body) const { return json::parse(authenticate(body)->body)["token"]; }
  std::string partner_token() const { return token({{"apiKey", "demo-partner-key"}}); }
  std::string account_token(const std::string &account) const { return token({{"apiKey", "demo-partner-key"}, {"accountId", account}}); }
  std::string fleet_token() const { return token({{"apiKey", "demo-fleet-key"}}); }
  httplib::Result call(const std::string &path, const std::string &token, const std::string &scheme = "Bearer") const {
    return get("/trimble" + path, {{"Authorization", scheme + " " + token}});
  }
  std::string expires() const { return json::parse(authenticate({{"apiKey", "demo-fleet-key"}})->body)["expires"]; }
  void set(const json &settings) const { admin_post("/config", {{"trimble_maps", settings}}); }

  static void expect_error(const httplib::Result &answer, int status, const std::string &message) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status) << answer->body;
    EXPECT_EQ(json::parse(answer->body)["error"]["message"], message);
  }
};

TEST_F(EmulatorTrimbleMaps, TokenAnswerIsTheDocumentedOne) {
  const auto answer = authenticate({{"apiKey", "demo-fleet-key"}});
  ASSERT_EQ(answer->status, 200);
  const json body = json::parse(answer->body);
  EXPECT_EQ(body.size(), 2U);
  EXPECT_THAT(body["token"].get<std::string>(), testing::MatchesRegex(R"(eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)"));
  EXPECT_EQ(body["expires"], "2023-11-14T23:13:20.000Z");
  EXPECT_EQ(entries().back()["token_expires_s"], kStart + 3600);
  EXPECT_NE(fleet_token(), fleet_token());
}

TEST_F(EmulatorTrimbleMaps, ADirectCustomerNeedsNoAccount) {
  for (const json &body : {json{{"apiKey", "demo-fleet-key"}}, json{{"apiKey", "demo-fleet-key"}, {"accountId", "FLTDEMO"}}}) {
    const json data = json::parse(call("/vehicles", token(body))->body)["data"];
    EXPECT_EQ(data[0]["AccountId"], "FLTDEMO");
  }
  expect_error(call("/accounts", fleet_token()), 400, "Token does not have partner level access");
}

TEST_F(EmulatorTrimbleMaps, APartnerChoosesAnAccount) {
  const auto answer = call("/accounts", partner_token());
  ASSERT_EQ(answer->status, 200);
  EXPECT_EQ(json::parse(answer->body), json::parse(R"({"data":[{"AccountName":"Fleet Account 1","AccountId":"FLTACC1"},
                                                               {"AccountName":"Fleet Account 2","AccountId":"FLTACC2"}]})"));
  for (const char *account : {"FLTACC1", "FLTACC2"}) {
    const std::string token = account_token(account);
    const json data = json::parse(call("/vehicles", token)->body)["data"];
    ASSERT_FALSE(data.empty());
    for (const json &vehicle : data) EXPECT_EQ(vehicle["AccountId"], account);
    expect_error(call("/accounts", token), 400, "Token does not have partner level access");
  }
  expect_error(call("/vehicles", partner_token()), 403, "Token does not have account level access");
}

TEST_F(EmulatorTrimbleMaps, BadKeyAndBadAccountAreAnsweredAlike) {
  const std::string message = "Invalid apiKey value or alias sent";
  expect_error(authenticate({{"apiKey", "wrong"}}), 400, message);
  expect_error(authenticate({{"apiKey", ""}}), 400, message);
  expect_error(authenticate({{"apiKey", "demo-partner-key"}, {"accountId", "FLTACC3"}}), 400, message);
  expect_error(authenticate({{"apiKey", "demo-partner-key"}, {"accountId", ""}}), 400, message);
  expect_error(authenticate({{"apiKey", "demo-partner-key"}, {"accountId", "fltacc1"}}), 400, message);
  expect_error(authenticate({{"apiKey", "demo-fleet-key"}, {"accountId", "FLTACC1"}}), 400, message);
}

TEST_F(EmulatorTrimbleMaps, BodiesAreChecked) {
  expect_error(authenticate(json::object()), 400, "apiKey is required and must be a string");
  expect_error(authenticate({{"apiKey", 1}}), 400, "apiKey is required and must be a string");
  expect_error(authenticate({{"apiKey", nullptr}}), 400, "apiKey is required and must be a string");
  expect_error(authenticate({{"apikey", "demo-fleet-key"}}), 400, "apiKey is required and must be a string");
  expect_error(authenticate({{"apiKey", "demo-partner-key"}, {"accountId", 1}}), 400, "accountId must be a string");
  expect_error(authenticate({{"apiKey", "demo-partner-key"}, {"accountId", nullptr}}), 400, "accountId must be a string");
  expect_error(authenticate(json::array()), 400, "The body must be a JSON object");
  expect_error(post("/trimble/accounts/authenticate", {}, R"({"apiKey":"demo-fleet-key"})", "text/plain"), 400,
               "Content-Type must be application/json");
}

TEST_F(EmulatorTrimbleMaps, ResourcesNeedAToken) {
  const std::string token = fleet_token();
  EXPECT_EQ(call("/vehicles", token, "bearer")->status, 200);
  EXPECT_EQ(call("/vehicles", token, "BEARER")->status, 200);
  expect_error(call("/vehicles", token, "Token"), 401, "Token is missing");
  expect_error(get("/trimble/vehicles"), 401, "Token is missing");
  expect_error(call("/vehicles", token + "x"), 401, "Token is not valid");
  expect_error(call("/accounts", fleetup_token()), 401, "Token is not valid");
  advance(3599);
  EXPECT_EQ(call("/vehicles", token)->status, 200);
  const std::string partner = partner_token();
  advance(1);
  expect_error(call("/vehicles", token), 401, "Token has expired");
  advance(3599);
  expect_error(call("/accounts", partner), 401, "Token has expired");
  expect_error(call("/nothing", token), 404, "Not found");
  expect_error(call("/accounts/authenticate", token), 405, "Method not allowed");
}

TEST_F(EmulatorTrimbleMaps, TokensCanBeRevokedByAccount) {
  const std::string first = account_token("FLTACC1");
  const std::string second = account_token("FLTACC2");
  admin_post("/revoke", {{"provider", "trimble_maps"}, {"account", "FLTACC1"}});
  expect_error(call("/vehicles", first), 401, "Token is not valid");
  EXPECT_EQ(call("/vehicles", second)->status, 200);
}

TEST_F(EmulatorTrimbleMaps, ExpiryHasFiveSpellings) {
  admin_post("/clock", {{"advance_s", 0.228}});
  for (const auto &[style, text] :
       {std::pair{"z", "2023-11-14T23:13:20.228Z"}, std::pair{"no_zone", "2023-11-14T23:13:20.228"},
        std::pair{"seven_digits", "2023-11-14T23:13:20.2280000Z"}, std::pair{"no_fraction", "2023-11-14T23:13:20Z"},
        std::pair{"offset", "2023-11-15T04:43:20.228+05:30"}}) {
    set({{"expires_style", style}});
    EXPECT_EQ(expires(), text);
  }
  const std::string token = fleet_token();
  advance(3599.9);  // never dead before the announced time
  EXPECT_EQ(call("/vehicles", token)->status, 200);
  advance(0.9);
  EXPECT_EQ(call("/vehicles", token)->status, 401);
}

TEST_F(EmulatorTrimbleMaps, LifetimeCanBeSet) {
  admin_post("/lifetime", {{"provider", "trimble_maps"}, {"seconds", 60}});
  EXPECT_EQ(expires(), "2023-11-14T22:14:20.000Z");
}

TEST_F(EmulatorTrimbleMaps, ErrorsHaveFourSpellings) {
  const auto body = [&] { return authenticate({{"apiKey", "wrong"}})->body; };
  EXPECT_EQ(json::parse(body()), json::parse(R"({"error":{"message":"Invalid apiKey value or alias sent","code":-400}})"));
  set({{"error_style", "message"}});
  EXPECT_EQ(json::parse(body()), json::parse(R"({"message":"Invalid apiKey value or alias sent"})"));
  set({{"error_style", "Message"}});
  EXPECT_EQ(json::parse(body()), json::parse(R"({"Message":"Invalid apiKey value or alias sent"})"));
  set({{"error_style", "text"}});
  EXPECT_EQ(body(), "Invalid apiKey value or alias sent");
  EXPECT_EQ(get("/trimble/vehicles")->get_header_value("Content-Type"), "text/plain");
}

TEST_F(EmulatorTrimbleMaps, ThrottlesEachKeyAndAccount) {
  set({{"min_interval_s", 2}});
  const std::string token = account_token("FLTACC1");
  const auto refused = authenticate({{"apiKey", "demo-partner-key"}, {"accountId", "FLTACC1"}});
  expect_error(refused, 429, "Too many requests");
  EXPECT_EQ(refused->get_header_value("Retry-After"), "2");
  EXPECT_EQ(authenticate({{"apiKey", "demo-partner-key"}, {"accountId", "FLTACC2"}})->status, 200);
  EXPECT_EQ(call("/vehicles", token)->status, 200);
  EXPECT_EQ(call("/vehicles", token)->status, 429);
  advance(2);
  EXPECT_EQ(call("/vehicles", token)->status, 200);
}

TEST_F(EmulatorTrimbleMaps, KeysCanBeConfigured) {
  set({{"keys",
        json::array({{{"api_key", "many"}, {"partner", true}, {"account_count", 5000}},
                     {{"api_key", "few"}, {"partner", true}, {"accounts", json::array({{{"AccountId", "A"}, {"AccountName", "B"}}})}},
                     {{"api_key", "direct"}, {"accounts", json::array({{{"AccountId", "C"}}})}}})}});
  const json many = json::parse(call("/accounts", token({{"apiKey", "many"}}))->body)["data"];
  ASSERT_EQ(many.size(), 5000U);
  EXPECT_EQ(many[4999]["AccountId"], "FLTACC5000");
  EXPECT_EQ(authenticate({{"apiKey", "many"}, {"accountId", "FLTACC5000"}})->status, 200);
  EXPECT_EQ(json::parse(call("/accounts", token({{"apiKey", "few"}}))->body)["data"],
            json::parse(R"([{"AccountName":"B","AccountId":"A"}])"));
  EXPECT_EQ(json::parse(call("/vehicles", token({{"apiKey", "direct"}}))->body)["data"][0]["AccountId"], "C");
  expect_error(authenticate({{"apiKey", "demo-fleet-key"}}), 400, "Invalid apiKey value or alias sent");
}

TEST_F(EmulatorTrimbleMaps, ConfigurationIsChecked) {
  const json accounts = json::array({{{"AccountId", "A"}}, {{"AccountId", "B"}}});
  const auto with = [](const json &key) { return json{{"keys", json::array({key})}}; };
  for (const json &wrong :
       {json{{"keys", json::array()}}, with({{"partner", true}}), with({{"api_key", "k"}, {"accounts", accounts}}),
        with({{"api_key", "k"}, {"account_count", 2}}), with({{"api_key", "k"}, {"partner", true}, {"accounts", json::array()}}),
        with({{"api_key", "k"}, {"partner", true}, {"accounts", accounts}, {"account_count", 2}}), with({{"api_key", "k"}, {"extra", 1}}),
        json{{"expires_style", "x"}}, json{{"error_style", "x"}}, json{{"unknown", 1}}}) {
    const auto answer = post("/_emulator/config", admin_headers(), json{{"trimble_maps", wrong}}.dump());
    EXPECT_EQ(answer->status, 400) << wrong;
    EXPECT_THAT(answer->body, testing::HasSubstr("trimble_maps"));
  }
}

TEST_F(EmulatorTrimbleMaps, LogHoldsNoSecret) {
  const std::string token = account_token("FLTACC1");
  call("/vehicles/demo-partner-key/" + token, token);
  authenticate({{"apiKey", "demo-partner-key"}, {"accountId", "demo-fleet-key"}});
  const std::string log = get("/_emulator/log", admin_headers())->body;
  const std::string state = get("/_emulator/state", admin_headers())->body;
  for (const std::string &secret : {std::string("demo-partner-key"), std::string("demo-fleet-key"), token}) {
    EXPECT_THAT(log, testing::Not(testing::HasSubstr(secret)));
    EXPECT_THAT(state, testing::Not(testing::HasSubstr(secret)));
  }
  EXPECT_EQ(json::parse(log)["entries"][0]["body"], json::parse(R"({"accountId":"FLTACC1","apiKey":"<redacted string>"})"));
  EXPECT_EQ(json::parse(log)["entries"][0]["account"], "FLTACC1");
}

}  // namespace
}  // namespace fleetauth::emulator
