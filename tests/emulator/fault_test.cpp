#include <thread>

#include "fixture.h"

namespace fleetauth::emulator {
namespace {

class EmulatorFault : public EmulatorTest {
 protected:
  void fault(const json &action, const json &match = json::object(), const json &times = 1) const {
    admin_post("/faults", {{"match", match}, {"times", times}, {"do", action}});
  }
  // The error that the admin API answers to a fault which makes no sense.
  std::string refusal(const json &source) const {
    const auto answer = post("/_emulator/faults", admin_headers(), source.dump());
    EXPECT_EQ(answer->status, 400) << source;
    return json::parse(answer->body)["error"];
  }
  std::size_t tokens_given_out() const { return admin_get("/state")["providers"]["fleetup"]["tokens"].size(); }
};

TEST_F(EmulatorFault, StatusHeadersAndBodyReplaceTheAnswer) {
  fault({{"status", 503}, {"headers", {{"Retry-After", "7"}, {"X-Twice", {"a", "b"}}}}, {"body", {{"message", "later"}}}});
  const auto answer = fleetup_login();
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->get_header_value("Retry-After"), "7");
  EXPECT_EQ(answer->get_header_value_count("X-Twice"), 2U);
  EXPECT_EQ(json::parse(answer->body)["message"], "later");
  EXPECT_EQ(tokens_given_out(), 0U);
  EXPECT_EQ(fleetup_login()->status, 200);
}

TEST_F(EmulatorFault, EmptyAnswer) {
  fault({{"status", 200}});
  const auto answer = fleetup_login();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "");
}

TEST_F(EmulatorFault, TheProviderMayActBehindAnError) {
  fault({{"status", 500}, {"act", true}});
  EXPECT_EQ(fleetup_login()->status, 500);
  EXPECT_EQ(tokens_given_out(), 1U);
}

TEST_F(EmulatorFault, MeetsOnlyWhatMatches) {
  fault({{"status", 418}}, {{"provider", "my_connected_fleet"}}, "always");
  fault({{"status", 419}}, {{"path", "/fleetup/dev*"}}, "always");
  fault({{"status", 420}}, {{"method", "GET"}, {"path", "/fleetup/token"}}, "always");
  EXPECT_EQ(fleetup_login()->status, 200);
  EXPECT_EQ(get("/mcf-api/x")->status, 418);
  EXPECT_EQ(get("/fleetup/devices")->status, 419);
  EXPECT_EQ(get("/fleetup/token")->status, 420);
}

TEST_F(EmulatorFault, SkipsAndCountsAndIsForgotten) {
  admin_post("/faults", json::array({{{"skip", 1}, {"times", 2}, {"do", {{"status", 500}}}}}));
  std::vector<int> statuses;
  for (int i = 0; i < 4; ++i) statuses.push_back(fleetup_login()->status);
  EXPECT_THAT(statuses, testing::ElementsAre(200, 500, 500, 200));
  EXPECT_TRUE(admin_get("/faults")["faults"].empty());

  fault({{"status", 500}}, json::object(), "always");
  EXPECT_EQ(admin_get("/faults")["faults"][0]["times"], "always");
  EXPECT_EQ(new_client()->Delete("/_emulator/faults", admin_headers())->status, 200);
  EXPECT_EQ(fleetup_login()->status, 200);
}

TEST_F(EmulatorFault, FaultsAreConsumedInOrder) {
  admin_post("/faults", json::array({{{"do", {{"status", 500}}}}, {{"do", {{"status", 502}}}}}));
  EXPECT_EQ(fleetup_login()->status, 500);
  EXPECT_EQ(fleetup_login()->status, 502);
}

TEST_F(EmulatorFault, DropBeforeActing) {
  fault({{"drop", "before"}});
  const auto answer = fleetup_login();
  EXPECT_FALSE(answer);
  EXPECT_EQ(tokens_given_out(), 0U);
  const json entry = entries().back();
  EXPECT_EQ(entry["outcome"], "dropped");
  EXPECT_EQ(entry["acted"], false);
  EXPECT_TRUE(entry["status"].is_null());
}

TEST_F(EmulatorFault, DropAfterActingLosesTheAnswer) {
  fault({{"drop", "after"}});
  EXPECT_FALSE(fleetup_login());
  EXPECT_EQ(tokens_given_out(), 1U);
  const json entry = entries().back();
  EXPECT_EQ(entry["acted"], true);
  EXPECT_EQ(entry["token"].get<std::string>().size(), 8U);
}

TEST_F(EmulatorFault, ConnectionIsReset) {
  fault({{"drop", "before"}, {"reset", true}});
  EXPECT_FALSE(fleetup_login());
  EXPECT_EQ(fleetup_login()->status, 200);
}

TEST_F(EmulatorFault, BodyIsShorterThanItsLength) {
  fault({{"truncate", 10}});
  std::string received;
  std::size_t announced = 0;
  const auto result = new_client()->Get(
      "/fleetup/devices", api_key(),
      [&](const httplib::Response &head) {
        announced = std::stoul(head.get_header_value("Content-Length"));
        return true;
      },
      [&](const char *data, std::size_t size) {
        received.append(data, size);
        return true;
      });
  EXPECT_FALSE(result);
  EXPECT_EQ(received.size(), 10U);
  EXPECT_GT(announced, 10U);
}

TEST_F(EmulatorFault, HtmlPage) {
  fault({{"html", true}});
  const auto answer = fleetup_login();
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->get_header_value("Content-Type"), testing::StartsWith("text/html"));
  EXPECT_THAT(answer->body, testing::StartsWith("<!doctype html>"));
}

TEST_F(EmulatorFault, GarbageInPlaceOfTheStatusLine) {
  fault({{"garbage", "status_line"}});
  EXPECT_FALSE(fleetup_login());
  EXPECT_EQ(entries().back()["outcome"], "garbage");
}

TEST_F(EmulatorFault, GarbageBody) {
  fault({{"garbage", "body"}});
  const auto answer = fleetup_login();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
  EXPECT_TRUE(json::parse(answer->body, nullptr, false).is_discarded());
}

TEST_F(EmulatorFault, WrongType) {
  fault({{"wrong_type", true}});
  EXPECT_EQ(json::parse(fleetup_login()->body)["token"], 42);
}

TEST_F(EmulatorFault, MembersCanBeSetAndRemoved) {
  fault({{"set", {{"expireTime", nullptr}, {"extra", 1}}}, {"remove", {"token"}}});
  const json body = json::parse(get("/fleetup/token?acctId=12345&secret=your-app-secret", api_key())->body);
  EXPECT_EQ(body, (json{{"expireTime", nullptr}, {"extra", 1}}));
}

TEST_F(EmulatorFault, ContentTypeOfAGoodAnswer) {
  fault({{"content_type", "text/plain"}});
  const auto answer = fleetup_login();
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain");
  EXPECT_TRUE(json::parse(answer->body)["token"].is_string());
}

TEST_F(EmulatorFault, Redirect) {
  fault({{"status", 307}, {"headers", {{"Location", "https://127.0.0.1:1/elsewhere"}}}});
  const auto answer = fleetup_login();
  EXPECT_EQ(answer->status, 307);
  EXPECT_EQ(answer->get_header_value("Location"), "https://127.0.0.1:1/elsewhere");
}

TEST_F(EmulatorFault, DateCanBeReplaced) {
  fault({{"headers", {{"Date", "Thu, 01 Jan 2026 00:00:00 GMT"}}}});
  const auto answer = fleetup_login();
  EXPECT_EQ(answer->get_header_value("Date"), "Thu, 01 Jan 2026 00:00:00 GMT");
  EXPECT_EQ(answer->get_header_value_count("Date"), 1U);
}

TEST_F(EmulatorFault, AHeldRequestBlocksNobodyElse) {
  fault({{"hold", "gate"}});
  int held_status = 0;
  std::thread held([&] { held_status = fleetup_login()->status; });
  EXPECT_EQ(entries("?wait_for=1").size(), 1U);
  EXPECT_EQ(fleetup_login()->status, 200);
  EXPECT_TRUE(entries()[0]["status"].is_null());
  admin_post("/release", {{"gate", "gate"}});
  held.join();
  EXPECT_EQ(held_status, 200);
}

TEST_F(EmulatorFault, ADelayedRequestBlocksNobodyElseAndEndsWithTheEmulator) {
  fault({{"delay_ms", 600'000}});
  bool answered = true;
  std::thread delayed([&] { answered = static_cast<bool>(fleetup_login()); });
  EXPECT_EQ(entries("?wait_for=1").size(), 1U);
  EXPECT_EQ(fleetup_login()->status, 200);
  emulator->stop();
  delayed.join();
  EXPECT_FALSE(answered);
}

TEST_F(EmulatorFault, DelayIsKept) {
  fault({{"delay_ms", 30}});
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(fleetup_login()->status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(30));
}

TEST_F(EmulatorFault, NonsenseIsRefusedWithAHint) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal({{"do", {{"statuz", 503}}}}), HasSubstr("faults[0].do has an unknown member"));
  EXPECT_THAT(refusal({{"do", {{"status", "503"}}}}), HasSubstr("faults[0].do.status must be an integer"));
  EXPECT_THAT(refusal({{"do", {{"status", 100}}}}), HasSubstr("from 200 to 599"));
  EXPECT_THAT(refusal({{"times", 1}}), HasSubstr("faults[0].do must be"));
  EXPECT_THAT(refusal({{"times", 0}, {"do", json::object()}}), HasSubstr("times"));
  EXPECT_THAT(refusal({{"times", "never"}, {"do", json::object()}}), HasSubstr("times"));
  EXPECT_THAT(refusal({{"do", {{"reset", true}}}}), HasSubstr("\"drop\""));
  EXPECT_THAT(refusal({{"do", {{"drop", "before"}, {"status", 500}}}}), HasSubstr("no answer is sent"));
  EXPECT_THAT(refusal({{"do", {{"headers", {{"Content-Length", "1"}}}}}}), HasSubstr("truncate"));
  EXPECT_THAT(refusal({{"do", {{"headers", {{"X", "a\r\nY: b"}}}}}}), HasSubstr("control characters"));
  EXPECT_THAT(refusal({{"match", {{"provider", "nobody"}}}, {"do", json::object()}}), HasSubstr("fleetup"));
  // Of a list with one bad fault, none is taken.
  EXPECT_THAT(refusal(json::array({{{"do", {{"status", 500}}}}, {{"do", 7}}})), HasSubstr("faults[1].do"));
  EXPECT_TRUE(admin_get("/faults")["faults"].empty());
}

}  // namespace
}  // namespace fleetauth::emulator
