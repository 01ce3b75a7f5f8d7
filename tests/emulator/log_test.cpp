#include "fixture.h"

namespace fleetauth::emulator {
namespace {

using testing::HasSubstr;
using testing::Not;

class EmulatorLog : public EmulatorTest {
 protected:
  std::string raw() const { return get("/_emulator/log", admin_headers())->body; }
};

TEST_F(EmulatorLog, TellsWhatWasAskedAndAnswered) {
  const std::string token = fleetup_token();
  fleetup_devices(token);
  const json log = entries();
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log[0]["seq"], 1);
  EXPECT_EQ(log[0]["time"], "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(log[0]["provider"], "fleetup");
  EXPECT_EQ(log[0]["endpoint"], "/fleetup/token");
  EXPECT_EQ(log[0]["flow"], "token");
  EXPECT_EQ(log[0]["method"], "POST");
  EXPECT_EQ(log[0]["status"], 200);
  EXPECT_EQ(log[0]["account"], "12345");
  EXPECT_THAT(log[0]["headers"], testing::Contains("x-api-key"));
  EXPECT_EQ(log[0]["body"], json::parse(R"({"acctId":12345,"secret":"<redacted string>"})"));
  EXPECT_EQ(log[0]["token_expires_s"], 1'700'000'000 + 3600);
  EXPECT_FALSE(log[1].contains("token_expires_s"));
  // What was given out there is what was shown here.
  EXPECT_EQ(log[0]["token"], log[1]["credential"]);
  EXPECT_EQ(log[1]["flow"], "resource");
}

TEST_F(EmulatorLog, HoldsNoSecretWhereverItIsSent) {
  const std::string token = fleetup_token();
  const std::string secret = "your-app-secret";
  get("/fleetup/token?acctId=12345&secret=" + secret, api_key());
  get("/fleetup/token?acctId=" + secret + "&" + secret + "=1", api_key());
  get("/fleetup/" + secret + "/" + token, api_key());
  get("/fleetup/devices?" + token + "=" + token, {{"Authorization", "Bearer " + token}, {"X-" + secret, "1"}});
  post("/fleetup/token", api_key(), R"({"acctId":12345,"sekret":")" + secret + R"("})");
  post("/fleetup/token", api_key(), R"({"acctId":")" + secret + R"(","nested":[{"your-app-secret":")" + secret + R"("}]})");
  post("/fleetup/token", api_key(), "secret=" + secret, "application/x-www-form-urlencoded");
  post("/fleetup/token", api_key(), "my secret is " + secret, "text/plain");
  post("/fleetup/token", api_key(), "{" + secret);
  post("/mcf-auth/masternauth-oauth/oauth/accessToken", {{"Authorization", "Basic ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ="}},
       "grant_type=demo-secret", "application/x-www-form-urlencoded");
  const std::string log = raw();
  EXPECT_EQ(json::parse(log)["entries"].size(), 11U);
  for (const std::string &hidden : {secret, token, std::string("demo-api-key"), std::string("demo-secret"), std::string("ZGVtby1jbGll")}) {
    EXPECT_THAT(log, Not(HasSubstr(hidden)));
  }
}

TEST_F(EmulatorLog, UnknownStringsAreHiddenButTheirTypeIsTold) {
  post("/fleetup/token", api_key(), R"({"acctId":"typed-wrong","secret":7,"other":["guess",null,true]})");
  const json body = entries().back()["body"];
  EXPECT_EQ(body["acctId"], "typed-wrong");
  EXPECT_EQ(body["secret"], "<redacted number>");
  EXPECT_EQ(body["other"], json::parse(R"(["<redacted string>",null,true])"));
}

TEST_F(EmulatorLog, CanBeFilteredAwaitedAndCleared) {
  fleetup_token();
  get("/mcf-api/x");
  EXPECT_EQ(entries("?provider=my_connected_fleet").size(), 1U);
  EXPECT_EQ(entries("?endpoint=/fleetup/token").size(), 1U);
  EXPECT_EQ(entries("?after=1").size(), 1U);
  EXPECT_EQ(admin_get("/log?wait_for=2")["complete"], true);
  EXPECT_EQ(admin_get("/log?wait_for=3&timeout_ms=1")["complete"], false);
  EXPECT_EQ(get("/_emulator/log?after=x", admin_headers())->status, 400);
  EXPECT_EQ(new_client()->Delete("/_emulator/log", admin_headers())->status, 200);
  EXPECT_TRUE(entries().empty());
  fleetup_token();
  EXPECT_EQ(entries()[0]["seq"], 3);
}

TEST_F(EmulatorLog, TellsConnectionsApart) {
  const auto client = new_client();
  client->set_keep_alive(true);
  client->Get("/fleetup/devices");
  client->Get("/fleetup/devices");
  get("/fleetup/devices");
  const json log = entries();
  EXPECT_EQ(log[0]["connection"], log[1]["connection"]);
  EXPECT_EQ(log[0]["on_connection"], 1);
  EXPECT_EQ(log[1]["on_connection"], 2);
  EXPECT_NE(log[1]["connection"], log[2]["connection"]);
}

}  // namespace
}  // namespace fleetauth::emulator
