#include <poll.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fixture.h"

namespace fleetauth::emulator {
namespace {

class EmulatorAdmin : public EmulatorTest {
 protected:
  std::string refusal(const std::string &path, const std::string &body) const {
    const auto answer = post("/_emulator" + path, admin_headers(), body);
    EXPECT_EQ(answer->status, 400) << path << ' ' << body;
    return json::parse(answer->body)["error"];
  }
};

TEST_F(EmulatorAdmin, AsksForTheAdminToken) {
  for (const httplib::Headers &headers : {httplib::Headers{}, httplib::Headers{{"Authorization", "Bearer wrong"}},
                                          httplib::Headers{{"Authorization", "Basic " + emulator->admin_token()}}}) {
    const auto answer = get("/_emulator/log", headers);
    EXPECT_EQ(answer->status, 401);
    EXPECT_THAT(answer->body, testing::HasSubstr("admin_token"));
  }
  EXPECT_EQ(post("/_emulator/shutdown", {}, "")->status, 401);
}

TEST_F(EmulatorAdmin, NamesItsEndpointsAndMethods) {
  const auto unknown = get("/_emulator/nothing", admin_headers());
  EXPECT_EQ(unknown->status, 404);
  EXPECT_THAT(json::parse(unknown->body)["known"], testing::Contains("POST /_emulator/clock"));
  const auto wrong = get("/_emulator/clock", admin_headers());
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(wrong->get_header_value("Allow"), "POST");
}

TEST_F(EmulatorAdmin, ClockMovesDatesAndTokens) {
  EXPECT_EQ(fleetup_login()->get_header_value("Date"), "Tue, 14 Nov 2023 22:13:20 GMT");
  admin_post("/clock", {{"advance_s", -7200.5}});
  const json clock = admin_get("/state")["clock"];
  EXPECT_EQ(clock["now"], "2023-11-14T20:13:19.500Z");
  EXPECT_EQ(clock["manual"], true);
  admin_post("/clock", {{"set_s", 253'402'300'799}});
  EXPECT_EQ(fleetup_login()->get_header_value("Date"), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST_F(EmulatorAdmin, ARealClockRunsAndKeepsItsOffset) {
  const double before = admin_post("/clock", {{"manual", false}})["now_s"];
  const double after = admin_post("/clock", {{"advance_s", 1000}})["now_s"];
  EXPECT_GE(after - before, 1000);
  EXPECT_LT(after - before, 1060);
  EXPECT_EQ(admin_get("/state")["clock"]["manual"], false);
}

TEST_F(EmulatorAdmin, ClockRefusesNonsense) {
  EXPECT_THAT(refusal("/clock", "{}"), testing::HasSubstr("advance_s"));
  EXPECT_THAT(refusal("/clock", R"({"advance_s":"1"})"), testing::HasSubstr("clock.advance_s must be a number"));
  EXPECT_THAT(refusal("/clock", R"({"set_s":1e300})"), testing::HasSubstr("clock.set_s"));
  EXPECT_THAT(refusal("/clock", "{"), testing::HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("/clock", ""), testing::HasSubstr("empty"));
}

TEST_F(EmulatorAdmin, RevokesOneTokenOrAll) {
  const std::string first = fleetup_token();
  const std::string second = fleetup_token();
  const std::string fingerprint = entries()[0]["token"];
  EXPECT_EQ(admin_post("/revoke", {{"provider", "fleetup"}, {"fingerprint", fingerprint}})["revoked"], 1);
  EXPECT_EQ(fleetup_devices(first), 401);
  EXPECT_EQ(fleetup_devices(second), 200);
  EXPECT_EQ(admin_post("/revoke", {{"provider", "fleetup"}, {"account", "1"}})["revoked"], 0);
  EXPECT_EQ(admin_post("/revoke", {{"provider", "my_connected_fleet"}})["revoked"], 0);
  EXPECT_EQ(admin_post("/revoke", {{"provider", "fleetup"}})["revoked"], 1);
  EXPECT_EQ(fleetup_devices(second), 401);
  EXPECT_EQ(fleetup_devices(fleetup_token()), 200);
  EXPECT_THAT(refusal("/revoke", R"({"provider":"nobody"})"), testing::ContainsRegex("fleetup, .*my_connected_fleet"));
}

TEST_F(EmulatorAdmin, LifetimeHoldsForTheNextTokens) {
  const std::string before = fleetup_token();
  admin_post("/lifetime", {{"provider", "fleetup"}, {"seconds", 10}});
  const std::string after = fleetup_token();
  advance(10);
  EXPECT_EQ(fleetup_devices(before), 200);
  EXPECT_EQ(fleetup_devices(after), 401);
  EXPECT_THAT(refusal("/lifetime", R"({"provider":"fleetup","seconds":0})"), testing::HasSubstr("lifetime_s"));
  EXPECT_THAT(refusal("/lifetime", R"({"provider":"fleetup"})"), testing::HasSubstr("seconds"));
}

TEST_F(EmulatorAdmin, StateShowsSettingsAndTokensButNoSecrets) {
  const std::string token = fleetup_token();
  const auto answer = get("/_emulator/state", admin_headers());
  const json fleetup = json::parse(answer->body)["providers"]["fleetup"];
  EXPECT_EQ(fleetup["settings"]["lifetime_s"], 3600);
  EXPECT_EQ(fleetup["tokens"][0]["account"], "12345");
  EXPECT_EQ(fleetup["tokens"][0]["fingerprint"].get<std::string>().size(), 8U);
  for (const std::string &secret : {std::string("your-app-secret"), std::string("demo-api-key"), std::string("demo-secret"), token}) {
    EXPECT_THAT(answer->body, testing::Not(testing::HasSubstr(secret)));
  }
}

TEST_F(EmulatorAdmin, ConfigurationIsAllOrNothingForAProvider) {
  EXPECT_THAT(refusal("/config", R"({"fleetup":{"lifetime_s":60,"accounts":[]}})"), testing::HasSubstr("at least one"));
  EXPECT_THAT(refusal("/config", R"({"fleetup":{"lifetime_s":60,"acounts":[]}})"), testing::HasSubstr("unknown member"));
  EXPECT_THAT(refusal("/config", R"({"fleetup":{"lifetime_s":60},"nobody":{}})"), testing::HasSubstr("provider must be one of"));
  EXPECT_EQ(admin_get("/state")["providers"]["fleetup"]["settings"]["lifetime_s"], 3600);
}

TEST_F(EmulatorAdmin, ConfigurationErrorsNameThePlaceAndNoSecret) {
  const std::string error = refusal("/config", R"({"fleetup":{"accounts":[{"acctId":"7","secret":"hush-hush","api_key":"k"}]}})");
  EXPECT_THAT(error, testing::HasSubstr("fleetup.accounts[0].acctId must be"));
  EXPECT_THAT(error, testing::Not(testing::HasSubstr("hush-hush")));
  EXPECT_THAT(refusal("/config", R"({"my_connected_fleet":{"clients":[{"client_id":"a:b","client_secret":"s"}]}})"),
              testing::HasSubstr("colon"));
}

TEST_F(EmulatorAdmin, ServesItsCa) {
  const auto answer = get("/_emulator/ca.pem", admin_headers());
  EXPECT_EQ(answer->body, emulator->ca_pem());
  std::ifstream file(emulator->ca_file());
  std::stringstream content;
  content << file.rdbuf();
  EXPECT_EQ(content.str(), emulator->ca_pem());
  EXPECT_THAT(content.str(), testing::Not(testing::HasSubstr("PRIVATE KEY")));
}

TEST_F(EmulatorAdmin, ShutdownIsAnnounced) {
  pollfd watched{emulator->shutdown_fd(), POLLIN, 0};
  EXPECT_EQ(poll(&watched, 1, 0), 0);
  admin_post("/shutdown", json::object());
  EXPECT_EQ(poll(&watched, 1, 5000), 1);  // it follows the answer
}

TEST_F(EmulatorAdmin, TemporaryFilesGoAwayWithTheEmulator) {
  const std::filesystem::path directory = std::filesystem::path(emulator->ca_file()).parent_path();
  EXPECT_TRUE(std::filesystem::exists(directory));
  emulator->stop();
  EXPECT_FALSE(std::filesystem::exists(directory));
}

}  // namespace
}  // namespace fleetauth::emulator
