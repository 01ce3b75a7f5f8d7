#include "fixture.h"

namespace fleetauth::emulator {
namespace {

class EmulatorFleetio : public EmulatorTest {
 protected:
  httplib::Result call(const std::string &authorization = "Token demo-fleetio-key", const std::string &account = "demo-account",
                       const std::string &path = "/fleetio/api/v1/users/me") const {
    return get(path, {{"Authorization", authorization}, {"Account-Token", account}});
  }
  void set(const json &settings) const { admin_post("/config", {{"fleetio", settings}}); }
};

TEST_F(EmulatorFleetio, KeyAndAccountOpenTheApi) {
  const auto me = call();
  ASSERT_EQ(me->status, 200);
  EXPECT_TRUE(json::parse(me->body)["email"].is_string());
  const auto vehicles = call("Token demo-fleetio-key", "demo-account", "/fleetio/api/v1/vehicles");
  EXPECT_EQ(vehicles->status, 200);
  EXPECT_TRUE(json::parse(vehicles->body)["records"].is_array());
  EXPECT_EQ(entries()[0]["account"], "demo-account");
  EXPECT_EQ(entries()[0]["credential"], entries()[1]["credential"]);
}

TEST_F(EmulatorFleetio, OnlyTheSchemeTokenWithTheKeyIsAccepted) {
  for (const char *wrong : {"Token demo-fleetio-kez", "Token  demo-fleetio-key", "token demo-fleetio-key", "TOKEN demo-fleetio-key",
                            "Bearer demo-fleetio-key", "Token token=\"demo-fleetio-key\"", "demo-fleetio-key", "Token", "Token "}) {
    const auto answer = call(wrong);
    EXPECT_EQ(answer->status, 401) << wrong;
    EXPECT_EQ(answer->body, "HTTP Token: Access denied.") << wrong;
    EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain");
    EXPECT_TRUE(answer->get_header_value("WWW-Authenticate").starts_with("Token "));
  }
  EXPECT_EQ(get("/fleetio/api/v1/users/me", {{"Account-Token", "demo-account"}})->status, 401);
  EXPECT_EQ(
      get("/fleetio/api/v1/users/me",
          {{"Authorization", "Token demo-fleetio-key"}, {"Authorization", "Token demo-fleetio-key"}, {"Account-Token", "demo-account"}})
          ->status,
      401);
}

TEST_F(EmulatorFleetio, ForeignAccountIsForbiddenWithoutABody) {
  for (const char *account : {"other-account", "Demo-Account", ""}) {
    const auto answer = call("Token demo-fleetio-key", account);
    EXPECT_EQ(answer->status, 403) << account;
    EXPECT_EQ(answer->body, "");
  }
  EXPECT_EQ(get("/fleetio/api/v1/users/me", {{"Authorization", "Token demo-fleetio-key"}})->status, 403);
  // Who has no key learns nothing about accounts.
  EXPECT_EQ(call("Token wrong", "other-account")->status, 401);
}

TEST_F(EmulatorFleetio, EachKeyHasItsAccounts) {
  set({{"keys", json::array({{{"api_key", "first"}, {"accounts", {"a", "b"}}}, {{"api_key", "second"}, {"accounts", {"b"}}}})}});
  EXPECT_EQ(call("Token first", "a")->status, 200);
  EXPECT_EQ(call("Token second", "b")->status, 200);
  EXPECT_EQ(call("Token second", "a")->status, 403);
  EXPECT_EQ(call()->status, 401);
  const json shown = admin_get("/state")["providers"]["fleetio"]["settings"];
  EXPECT_EQ(shown, json::parse(R"({"keys":[{"accounts":["a","b"]},{"accounts":["b"]}],"min_interval_s":0.0})"));
}

TEST_F(EmulatorFleetio, SettingsAreStrict) {
  for (const char *wrong : {R"({"kees":[]})", R"({"keys":[]})", R"({"keys":[{}]})", R"({"keys":[{"api_key":""}]})",
                            R"({"keys":[{"api_key":"k","account":"a"}]})", R"({"min_interval_s":-1})"}) {
    EXPECT_EQ(post("/_emulator/config", admin_headers(), R"({"fleetio":)" + std::string(wrong) + "}")->status, 400) << wrong;
  }
  EXPECT_EQ(call()->status, 200);
}

TEST_F(EmulatorFleetio, ThrottlesEachKey) {
  set({{"min_interval_s", 3}});
  EXPECT_EQ(call()->status, 200);
  advance(1);
  const auto refused = call();
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->get_header_value("Retry-After"), "2");
  EXPECT_EQ(call("Token wrong")->status, 401);
  advance(2);
  EXPECT_EQ(call()->status, 200);
}

TEST_F(EmulatorFleetio, UnknownPathsAndMethods) {
  EXPECT_EQ(call("Token demo-fleetio-key", "demo-account", "/fleetio/api/v1/nothing")->status, 404);
  EXPECT_EQ(post("/fleetio/api/v1/vehicles", {}, "{}")->status, 405);
}

TEST_F(EmulatorFleetio, TheLogHidesTheKey) {
  get("/fleetio/api/v1/demo-fleetio-key?key=demo-fleetio-key", {{"Authorization", "Token demo-fleetio-key"}});
  EXPECT_THAT(entries().dump(), testing::Not(testing::HasSubstr("demo-fleetio-key")));
}

}  // namespace
}  // namespace fleetauth::emulator
