#include "fixture.h"

namespace fleetauth::emulator {
namespace {

constexpr const char *kBasic = "Basic ZGVtby11c2VyOmRlbW8tcGFzc3dvcmQ=";  // demo-user:demo-password
constexpr const char *kAppId = "fleetmatics-p-us-demo";

class EmulatorVerizonReveal : public EmulatorTest {
 protected:
  httplib::Result token_call(const std::string &basic = kBasic, const std::string &accept = "text/plain") const {
    return get("/reveal/token", {{"Authorization", basic}, {"Accept", accept}});
  }
  std::string token() const { return token_call()->body; }
  int vehicles(const std::string &authorization) const {
    return get("/reveal/cmd/v1/vehicles", {{"Authorization", authorization}})->status;
  }
  int vehicles_with(const std::string &token, const std::string &app_id = kAppId) const {
    return vehicles("Atmosphere atmosphere_app_id=" + app_id + ", Bearer " + token);
  }
  void set(const json &settings) const { admin_post("/config", {{"verizon_reveal", settings}}); }
};

TEST_F(EmulatorVerizonReveal, TheTokenIsTheWholeAnswer) {
  const auto answer = token_call();
  ASSERT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain");
  EXPECT_THAT(answer->body, testing::MatchesRegex("[A-Za-z0-9_-]+"));
  EXPECT_EQ(answer->body.size(), 64U);
  EXPECT_NE(answer->body, token());
  EXPECT_EQ(entries()[0]["token_expires_s"], kStart + 1200);
  EXPECT_EQ(entries()[0]["account"], "demo-user");
}

TEST_F(EmulatorVerizonReveal, BadCredentialsAreRefused) {
  for (const char *wrong : {"Basic ZGVtby11c2VyOmRlbW8tcGFzc3dvcmR4", "Basic ZGVtby11c2VyeDpkZW1vLXBhc3N3b3Jk", "Basic", "Basic !!!!",
                            "Bearer ZGVtby11c2VyOmRlbW8tcGFzc3dvcmQ="}) {
    const auto answer = token_call(wrong);
    EXPECT_EQ(answer->status, 401) << wrong;
    EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain");
    EXPECT_TRUE(answer->has_header("WWW-Authenticate"));
  }
  EXPECT_EQ(get("/reveal/token", {{"Accept", "text/plain"}})->status, 401);
}

TEST_F(EmulatorVerizonReveal, PlainTextMustBeAskedForByName) {
  for (const char *wrong : {"application/json", "*/*", "text/*", "text/plainer"}) {
    EXPECT_EQ(token_call(kBasic, wrong)->status, 406) << wrong;
  }
  for (const char *good : {"text/plain", "Text/Plain", "application/json, text/plain;q=0.5"}) {
    EXPECT_EQ(token_call(kBasic, good)->status, 200) << good;
  }
}

TEST_F(EmulatorVerizonReveal, TheSpellingOfTheHeaderIsExact) {
  const std::string t = token();
  EXPECT_EQ(vehicles_with(t), 200);
  const std::string app = kAppId;
  for (const std::string &wrong :
       {"Bearer " + t, "Atmosphere Bearer " + t, "Atmosphere atmosphere_app_id=" + app,
        "atmosphere atmosphere_app_id=" + app + ", Bearer " + t, "Atmosphere atmosphere_app_id=" + app + ",Bearer " + t,
        "Atmosphere atmosphere_app_id=" + app + " Bearer " + t, "Atmosphere atmosphere_app_id=" + app + ", bearer " + t,
        "Atmosphere atmosphere_app_id=" + app + ", Bearer  " + t, "Atmosphere atmosphere_app_id=\"" + app + "\", Bearer " + t,
        "Atmosphere app_id=" + app + ", Bearer " + t, "Atmosphere  atmosphere_app_id=" + app + ", Bearer " + t}) {
    EXPECT_EQ(vehicles(wrong), 401) << wrong;
  }
  EXPECT_EQ(vehicles_with(t, "fleetmatics-p-us-other"), 401);
  EXPECT_EQ(vehicles_with(t, ""), 401);
  EXPECT_EQ(vehicles_with(t + "x"), 401);
  EXPECT_EQ(vehicles_with(""), 401);
  const auto refused = get("/reveal/cmd/v1/vehicles");
  EXPECT_EQ(refused->status, 401);
  EXPECT_TRUE(json::parse(refused->body)["Message"].is_string());
}

TEST_F(EmulatorVerizonReveal, TokenLivesTwentyMinutes) {
  const std::string t = token();
  advance(1199);
  EXPECT_EQ(vehicles_with(t), 200);
  advance(1);
  EXPECT_EQ(vehicles_with(t), 401);
  admin_post("/lifetime", {{"provider", "verizon_reveal"}, {"seconds", 5}});
  const std::string shorter = token();
  advance(5);
  EXPECT_EQ(vehicles_with(shorter), 401);
}

TEST_F(EmulatorVerizonReveal, TokensCanBeRevoked) {
  const std::string t = token();
  EXPECT_EQ(admin_post("/revoke", {{"provider", "verizon_reveal"}, {"account", "demo-user"}})["revoked"], 1);
  EXPECT_EQ(vehicles_with(t), 401);
}

TEST_F(EmulatorVerizonReveal, TokenBelongsToItsUsersApplication) {
  set({{"users",
        json::array({{{"user", "a"}, {"password", "x"}, {"app_id", "one"}}, {{"user", "b"}, {"password", "y"}, {"app_id", "two"}}})}});
  const std::string t = token_call("Basic YTp4")->body;  // a:x
  EXPECT_EQ(vehicles_with(t, "one"), 200);
  EXPECT_EQ(vehicles_with(t, "two"), 401);
  EXPECT_EQ(token_call("Basic YTp5")->status, 401);  // a:y
}

TEST_F(EmulatorVerizonReveal, SettingsAreStrict) {
  for (const char *wrong :
       {R"({"user":"a"})", R"({"users":[]})", R"({"users":[{"user":"a"}]})", R"({"users":[{"user":"a:b","password":"c"}]})",
        R"({"users":[{"user":"a","password":"c","app":"d"}]})", R"({"lifetime_s":0})", R"({"min_interval_s":null})"}) {
    EXPECT_EQ(post("/_emulator/config", admin_headers(), R"({"verizon_reveal":)" + std::string(wrong) + "}")->status, 400) << wrong;
  }
  const json shown = admin_get("/state")["providers"]["verizon_reveal"]["settings"];
  EXPECT_EQ(shown,
            json::parse(R"({"users":[{"user":"demo-user","app_id":"fleetmatics-p-us-demo"}],"lifetime_s":1200,"min_interval_s":0.0})"));
}

TEST_F(EmulatorVerizonReveal, ThrottlesTokensAndCallsApart) {
  set({{"min_interval_s", 2}});
  const std::string t = token();
  EXPECT_EQ(vehicles_with(t), 200);
  const auto refused = token_call();
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->get_header_value("Retry-After"), "2");
  EXPECT_EQ(vehicles_with(t), 429);
  advance(2);
  EXPECT_EQ(token_call()->status, 200);
}

TEST_F(EmulatorVerizonReveal, UnknownPathsAndMethods) {
  EXPECT_EQ(get("/reveal/cmd/v1/nothing")->status, 404);
  EXPECT_EQ(post("/reveal/token", {{"Authorization", kBasic}}, "")->status, 405);
}

TEST_F(EmulatorVerizonReveal, TheLogHidesPasswordAndToken) {
  const std::string t = token();
  vehicles_with(t);
  get("/reveal/" + t + "?password=demo-password&" + t + "=demo-password");
  const std::string log = entries().dump();
  for (const std::string &hidden : {t, std::string("demo-password"), std::string("ZGVtby11c2V")}) {
    EXPECT_THAT(log, testing::Not(testing::HasSubstr(hidden)));
  }
}

}  // namespace
}  // namespace fleetauth::emulator
