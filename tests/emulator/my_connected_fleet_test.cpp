#include "fixture.h"

namespace fleetauth::emulator {
namespace {

constexpr const char *kTokenPath = "/mcf-auth/masternauth-oauth/oauth/accessToken";
constexpr const char *kCore = "/mcf-api/connect-webservices/services/public/v1/customer/1001";
constexpr const char *kJobs = "/mcf-api/job-management/v1/customer/1001/jobs";
constexpr const char *kForm = "application/x-www-form-urlencoded";
constexpr const char *kBasic = "Basic ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ=";       // demo-client:demo-secret
constexpr const char *kWrongBasic = "Basic ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXg=";  // demo-client:demo-secrex

class EmulatorMyConnectedFleet : public EmulatorTest {
 protected:
  httplib::Result token_call(const std::string &basic = kBasic, const std::string &form = "grant_type=client_credentials") const {
    return post(kTokenPath, {{"Authorization", basic}, {"Accept", "application/json"}}, form, kForm);
  }
  std::string token() const { return json::parse(token_call()->body)["accessToken"]; }
  httplib::Result call(const std::string &path, const std::string &header, const std::string &value) const {
    return get(path, {{header, value}});
  }
  void set(const json &settings) const { admin_post("/config", {{"my_connected_fleet", settings}}); }
};

TEST_F(EmulatorMyConnectedFleet, TokenAnswerIsTheDocumentedOne) {
  const auto answer = token_call();
  ASSERT_EQ(answer->status, 200);
  const json body = json::parse(answer->body);
  EXPECT_EQ(body["success"], true);
  EXPECT_EQ(body["token_type"], "bearer");
  EXPECT_EQ(body["expires_in"], 2'591'999);
  EXPECT_THAT(body["accessToken"].get<std::string>(), testing::MatchesRegex("[0-9A-F]+"));
  EXPECT_EQ(body["accessToken"].get<std::string>().size(), 32U);
  EXPECT_EQ(body.size(), 4U);
}

TEST_F(EmulatorMyConnectedFleet, TokenCallIsAForm) {
  EXPECT_EQ(token_call(kBasic, "")->status, 400);
  EXPECT_EQ(token_call(kBasic, "grant_type=client_credentials&grant_type=client_credentials")->status, 400);
  const auto other = token_call(kBasic, "grant_type=password");
  EXPECT_EQ(other->status, 400);
  EXPECT_EQ(json::parse(other->body)["error"], "unsupported_grant_type");
  const auto as_json = post(kTokenPath, {{"Authorization", kBasic}}, R"({"grant_type":"client_credentials"})");
  EXPECT_EQ(as_json->status, 400);
  EXPECT_EQ(json::parse(as_json->body)["error"], "invalid_request");
}

TEST_F(EmulatorMyConnectedFleet, BadClientIsOAuthErrorByDefault) {
  for (const char *basic : {kWrongBasic, "Basic", "Basic !!!!", "Basic ZGVtbw==", "Bearer ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ="}) {
    const auto answer = token_call(basic);
    EXPECT_EQ(answer->status, 401) << basic;
    EXPECT_EQ(json::parse(answer->body)["error"], "invalid_client");
    EXPECT_TRUE(answer->has_header("WWW-Authenticate"));
  }
}

TEST_F(EmulatorMyConnectedFleet, BadClientMayBeAnsweredWithStatus200) {
  set({{"bad_client", "success_false"}});
  const auto plain = token_call(kWrongBasic);
  EXPECT_EQ(plain->status, 200);
  EXPECT_EQ(json::parse(plain->body)["success"], false);
  EXPECT_FALSE(json::parse(plain->body).contains("accessToken"));

  set({{"bad_client", "success_false_with_token"}});
  const json body = json::parse(token_call(kWrongBasic)->body);
  EXPECT_EQ(body["success"], false);
  const std::string bait = body["accessToken"];
  EXPECT_EQ(call(std::string(kCore) + "/tire/events", "Authorization", "Bearer " + bait)->status, 401);
}

TEST_F(EmulatorMyConnectedFleet, EachApiHasItsOwnScheme) {
  const std::string t = token();
  const std::string live = std::string(kCore) + "/tracking/live";
  const std::string tires = std::string(kCore) + "/tire/events";
  EXPECT_EQ(call(live, "Authorization", kBasic)->status, 200);
  EXPECT_EQ(call(live, "Authorization", "Bearer " + t)->status, 401);
  EXPECT_EQ(call(tires, "Authorization", "Bearer " + t)->status, 200);
  EXPECT_EQ(call(tires, "Authorization", kBasic)->status, 401);
  EXPECT_EQ(call(kJobs, "x-connect-token", "TOKEN " + t)->status, 200);
  EXPECT_EQ(call(kJobs, "x-connect-token", "token " + t)->status, 401);
  EXPECT_EQ(call(kJobs, "x-connect-token", "TOKEN  " + t)->status, 401);
  EXPECT_EQ(call(kJobs, "x-connect-token", t)->status, 401);
  EXPECT_EQ(call(kJobs, "Authorization", "Bearer " + t)->status, 401);
}

TEST_F(EmulatorMyConnectedFleet, CoreMayAcceptBearer) {
  set({{"core_accepts_bearer", true}});
  EXPECT_EQ(call(std::string(kCore) + "/tracking/live", "Authorization", "Bearer " + token())->status, 200);
  EXPECT_EQ(call(std::string(kCore) + "/tracking/live", "Authorization", kBasic)->status, 200);
}

TEST_F(EmulatorMyConnectedFleet, ErrorsHaveThreeSpellings) {
  const json core = json::parse(call(std::string(kCore) + "/tracking/live", "Authorization", kWrongBasic)->body);
  EXPECT_EQ(core, json::parse(R"({"status":"401","message":"Bad Credentials"})"));
  const json tires = json::parse(call(std::string(kCore) + "/tire/events", "Authorization", "Bearer x")->body);
  EXPECT_EQ(tires, json::parse(R"({"errorCode":"401","errorMessage":"Bad Credentials"})"));
  const json jobs = json::parse(call(kJobs, "x-connect-token", "TOKEN x")->body);
  EXPECT_EQ(jobs, json::parse(R"({"errorCode":"401","errorMsg":"Bad Credentials"})"));
  set({{"error_style", "errorMsg"}});
  EXPECT_EQ(json::parse(call(std::string(kCore) + "/tracking/live", "Authorization", kWrongBasic)->body), jobs);
}

TEST_F(EmulatorMyConnectedFleet, The401OfCoreIsAmbiguous) {
  const std::string bad = call(std::string(kCore) + "/tracking/live", "Authorization", kWrongBasic)->body;
  const std::string other_customer = "/mcf-api/connect-webservices/services/public/v1/customer/1002/tracking/live";
  for (const std::string &path : {std::string(kCore) + "/tracking/history", std::string(kCore) + "/no/such", other_customer}) {
    const auto answer = call(path, "Authorization", kBasic);
    EXPECT_EQ(answer->status, 401) << path;
    EXPECT_EQ(answer->body, bad) << path;
  }
  set({{"disabled_endpoints", json::array({"/tracking/live"})}});
  EXPECT_EQ(call(std::string(kCore) + "/tracking/history", "Authorization", kBasic)->status, 200);
  EXPECT_EQ(call(std::string(kCore) + "/tracking/live", "Authorization", kBasic)->status, 401);
}

TEST_F(EmulatorMyConnectedFleet, TokenLivesThirtyDays) {
  const std::string t = token();
  advance(2'591'998);
  EXPECT_EQ(call(kJobs, "x-connect-token", "TOKEN " + t)->status, 200);
  advance(1);
  EXPECT_EQ(call(kJobs, "x-connect-token", "TOKEN " + t)->status, 401);
}

TEST_F(EmulatorMyConnectedFleet, TokensOfFleetUpAreUnknownHere) {
  EXPECT_EQ(call(kJobs, "x-connect-token", "TOKEN " + fleetup_token())->status, 401);
}

TEST_F(EmulatorMyConnectedFleet, JobsCanBePosted) {
  const httplib::Headers headers{{"x-connect-token", "TOKEN " + token()}};
  EXPECT_EQ(post(kJobs, headers, R"({"reference":"JOB-7"})")->status, 201);
  EXPECT_EQ(post(kJobs, headers, R"({"reference":7})")->status, 400);
  EXPECT_EQ(post(kJobs, headers, "reference=JOB-7", kForm)->status, 400);
  EXPECT_EQ(new_client()->Put(kJobs, headers, "{}", "application/json")->status, 405);
  EXPECT_EQ(call("/mcf-api/job-management/v2/jobs", "x-connect-token", "TOKEN x")->status, 404);
}

TEST_F(EmulatorMyConnectedFleet, ThrottlesEachClientAndApi) {
  set({{"min_interval_s", 0.2}});
  EXPECT_EQ(token_call()->status, 200);
  const auto refused = token_call();
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->get_header_value("Retry-After"), "1");
  advance(0.2);
  EXPECT_EQ(token_call()->status, 200);
}

}  // namespace
}  // namespace fleetauth::emulator
