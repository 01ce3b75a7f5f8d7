#include "fixture.h"

namespace fleetauth::emulator {
namespace {

struct Dialect {
  const char *provider;
  const char *key;
  const char *header;
  const char *prefix;        // what stands before the key in the header
  const char *error_member;  // of an error's JSON
};

void PrintTo(const Dialect &dialect, std::ostream *out) { *out << dialect.provider; }

constexpr Dialect kMotive{"motive", "demo-motive-key", "X-Api-Key", "", "error_message"};
constexpr Dialect kTn360{"tn360", "demo-tn360-key", "Authorization", "Bearer ", "message"};

class EmulatorStaticKey : public EmulatorTest, public testing::WithParamInterface<Dialect> {
 protected:
  std::string path(const std::string &rest = "/v1/vehicles") const { return std::string("/") + GetParam().provider + rest; }
  httplib::Result call(const std::string &key = GetParam().key) const {
    return get(path(), {{GetParam().header, GetParam().prefix + key}});
  }
  void set(const json &settings) const { admin_post("/config", {{GetParam().provider, settings}}); }
  void expect_refused(const httplib::Result &answer, int status) const {
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
    const json body = json::parse(answer->body);
    EXPECT_EQ(body.size(), 1U);
    EXPECT_TRUE(body[GetParam().error_member].is_string());
  }
};

TEST_P(EmulatorStaticKey, TheKeyOpensTheApi) {
  const auto answer = call();
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(json::accept(answer->body));
  EXPECT_EQ(entries()[0]["provider"], GetParam().provider);
  EXPECT_EQ(entries()[0]["credential"].get<std::string>().size(), 8U);
}

TEST_P(EmulatorStaticKey, WrongMissingAndRepeatedKeysAreRefused) {
  for (const std::string &wrong : {std::string("wrong"), std::string(GetParam().key) + "x", std::string("Token ") + GetParam().key}) {
    expect_refused(call(wrong), 401);
  }
  expect_refused(get(path()), 401);
  const std::string good = std::string(GetParam().prefix) + GetParam().key;
  expect_refused(get(path(), {{GetParam().header, good}, {GetParam().header, good}}), 401);
  expect_refused(get(path(), {{"Api-Key", GetParam().key}}), 401);
}

TEST_P(EmulatorStaticKey, TheOtherDialectIsRefused) {
  const Dialect &other = std::string(GetParam().provider) == "motive" ? kTn360 : kMotive;
  expect_refused(get(path(), {{other.header, std::string(other.prefix) + GetParam().key}}), 401);
  expect_refused(get(path(), {{GetParam().header, std::string("Basic ") + GetParam().key}}), 401);
}

TEST_P(EmulatorStaticKey, KeysCanBeReplaced) {
  set({{"api_keys", {"one", "two"}}});
  EXPECT_EQ(call("one")->status, 200);
  EXPECT_EQ(call("two")->status, 200);
  EXPECT_EQ(call()->status, 401);
  EXPECT_EQ(admin_get("/state")["providers"][GetParam().provider]["settings"]["api_keys"], 2);
}

TEST_P(EmulatorStaticKey, SettingsAreStrict) {
  for (const char *wrong : {R"({"api_key":"k"})", R"({"api_keys":"k"})", R"({"api_keys":[""]})", R"({"api_keys":[1]})",
                            R"({"lifetime_s":60})", R"({"min_interval_s":"1"})"}) {
    const std::string config = std::string(R"({")") + GetParam().provider + R"(":)" + wrong + "}";
    EXPECT_EQ(post("/_emulator/config", admin_headers(), config)->status, 400) << config;
  }
  EXPECT_EQ(call()->status, 200);
}

TEST_P(EmulatorStaticKey, ThrottlesEachKey) {
  set({{"min_interval_s", 2}});
  EXPECT_EQ(call()->status, 200);
  const auto refused = call();
  expect_refused(refused, 429);
  EXPECT_EQ(refused->get_header_value("Retry-After"), "2");
  advance(2);
  EXPECT_EQ(call()->status, 200);
}

TEST_P(EmulatorStaticKey, UnknownPathsAndMethods) {
  expect_refused(get(path("/v1/nothing")), 404);
  expect_refused(post(path(), {{GetParam().header, GetParam().prefix + std::string(GetParam().key)}}, "{}"), 405);
}

TEST_P(EmulatorStaticKey, TheLogHidesTheKey) {
  const std::string key = GetParam().key;
  get(path("/" + key + "?key=" + key), {{GetParam().header, GetParam().prefix + key}});
  EXPECT_THAT(entries().dump(), testing::Not(testing::HasSubstr(key)));
}

INSTANTIATE_TEST_SUITE_P(Providers, EmulatorStaticKey, testing::Values(kMotive, kTn360),
                         [](const auto &each) { return std::string(each.param.provider); });

TEST_F(EmulatorTest, MotiveHasCompanies) {
  const auto answer = get("/motive/v1/companies", {{"x-api-key", "demo-motive-key"}});
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(json::parse(answer->body)["companies"][0]["company"]["name"].is_string());
}

TEST_F(EmulatorTest, Tn360TakesTheSchemeInAnyCase) {
  EXPECT_EQ(get("/tn360/v1/vehicles", {{"Authorization", "bearer demo-tn360-key"}})->status, 200);
  EXPECT_EQ(get("/tn360/v1/vehicles", {{"Authorization", "Bearer  demo-tn360-key"}})->status, 401);
}

}  // namespace
}  // namespace fleetauth::emulator
