#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/provider/client_config.h"

namespace fleetauth::provider {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using DescriptorPtr = std::shared_ptr<const Descriptor>;

Result<DescriptorPtr> overridden(std::string_view provider, std::optional<std::string_view> patch,
                                 const std::vector<BaseUrl> &base_urls = {}) {
  return override_descriptor(*builtin(provider), patch, base_urls);
}

std::string refused(std::string_view provider, std::optional<std::string_view> patch, const std::vector<BaseUrl> &base_urls = {}) {
  const auto result = overridden(provider, patch, base_urls);
  if (result) return "was accepted";
  EXPECT_EQ(result.error()->status, Status::Config);
  return result.error()->message;
}

TEST(Override, WithoutAnythingTheDescriptorIsTheSameObject) {
  const DescriptorPtr fleetup = *builtin("fleetup");
  const auto result = override_descriptor(fleetup, {}, {});
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, fleetup);
}

TEST(Override, BaseUrlReplacesTheOnlyOriginAlsoInTheSource) {
  const auto result = overridden("fleetup", {}, {{"", "https://127.0.0.1:8443/fleetup/"}});
  ASSERT_TRUE(result) << result.error()->message;
  EXPECT_EQ((*result)->origins[0].base_url, "https://127.0.0.1:8443/fleetup");
  EXPECT_EQ((*result)->origins[0].authority(), "https://127.0.0.1:8443");
  EXPECT_EQ((*result)->origins[0].prefix(), "/fleetup");
  EXPECT_THAT(json::to_text((*result)->source), HasSubstr("\"origins\":{\"api\":\"https://127.0.0.1:8443/fleetup\"}"));
}

TEST(Override, ANamedBaseUrlReplacesOneOfSeveralOrigins) {
  const auto result = overridden("my_connected_fleet", {}, {{"auth", "https://auth.example.com"}});
  ASSERT_TRUE(result) << result.error()->message;
  EXPECT_EQ((*result)->origin("auth")->base_url, "https://auth.example.com");
  EXPECT_EQ((*result)->origin("api")->base_url, "https://api.masternautconnect.com");
}

TEST(Override, AnUnnamedBaseUrlIsAmbiguousWithSeveralOrigins) {
  EXPECT_EQ(
      refused("my_connected_fleet", {}, {{"", "https://x.example.com"}}),
      "my_connected_fleet: option \"base_url\" is ambiguous, the provider has several origins; use \"api_base_url\" or \"auth_base_url\"");
}

TEST(Override, AnUnknownOriginIsNamed) {
  EXPECT_THAT(refused("my_connected_fleet", {}, {{"apis", "https://x.example.com"}}),
              HasSubstr("there is no origin \"apis\" (did you mean \"api\"?)"));
}

TEST(Override, T04_BaseUrlsAreHttpsOrLoopbackAndCanonical) {
  for (const char *good : {"https://x.example.com", "https://x.example.com:8443", "https://[::1]:8443", "http://127.0.0.1:8080",
                           "http://localhost", "http://[::1]:1", "https://10.0.0.1/a/b"}) {
    EXPECT_TRUE(overridden("fleetup", {}, {{"", good}})) << good;
  }
  for (const char *bad : {"",
                          "x.example.com",
                          "http://x.example.com",
                          "http://127.1",
                          "https://0x7f.1",
                          "https://127.0.0.01",
                          "https://x.example.com:443",
                          "https://x.example.com:0",
                          "https://x.example.com:99999",
                          "https://me:pw@x.example.com",
                          "https://x.example.com?q=1",
                          "https://x.example.com#f",
                          "https://X.example.com",
                          "https://x.example.com/a/../b",
                          "https://x.example.com/%2e",
                          "https://x example.com",
                          "https://x.example.com\n",
                          "ftp://x.example.com",
                          "https://",
                          "https:///x",
                          "https://[::1",
                          "https://-x.com",
                          "https://x..com",
                          "https://b\xc3\xbc"
                          "cher.example",
                          "http://localhost.evil.example",
                          "http://127.0.0.1.evil.example"}) {
    EXPECT_THAT(refused("fleetup", {}, {{"", bad}}), HasSubstr("option \"base_url\" must be")) << bad;
  }
}

TEST(Override, ABaseUrlWithASecretInItIsNotRepeated) {
  EXPECT_THAT(refused("fleetup", {}, {{"", "https://me:hunter2@x.example.com"}}), ::testing::Not(HasSubstr("hunter2")));
}

// What is assumed of the providers can be set right by a patch: one test for each assumption.

TEST(Override, FleetUpCanBeToldNotToSendTheApiKeyWithTheJwt) {
  const auto result = overridden("fleetup", R"({"schemes": {"jwt": {"headers": {"x-api-key": null}}}})");
  ASSERT_TRUE(result) << result.error()->message;
  ASSERT_EQ((*result)->scheme("jwt")->headers.size(), 1U);
  EXPECT_EQ((*result)->scheme("jwt")->headers[0].name, "Authorization");
}

TEST(Override, FleetUpErrorBodiesCanBeReadDifferently) {
  const auto result = overridden("fleetup", R"({"steps": {"token": {"error_code": ["/error/id"],
      "errors": [{"status": [401], "path": "/error/id", "contains": "THROTTLE", "is": "rate_limited"}]}}})");
  ASSERT_TRUE(result) << result.error()->message;
  const Step &step = *(*result)->step("token");
  EXPECT_EQ(step.error_code_paths, std::vector<std::string>{"/error/id"});
  ASSERT_EQ(step.errors.size(), 1U) << "arrays are replaced as a whole";
  EXPECT_EQ(step.errors[0].status, Status::RateLimited);
}

TEST(Override, MyConnectedFleetSuccessRulesAndTokenAliasCanBeChanged) {
  const auto result =
      overridden("my_connected_fleet", R"({"steps": {"token": {"token": ["/data/token"], "success": {"not_false": ["/ok"], "absent": null},
      "errors": null}}})");
  ASSERT_TRUE(result) << result.error()->message;
  const Step &step = *(*result)->step("token");
  EXPECT_EQ(step.token_paths, std::vector<std::string>{"/data/token"});
  EXPECT_EQ(step.not_false, std::vector<std::string>{"/ok"});
  EXPECT_TRUE(step.absent.empty());
  EXPECT_TRUE(step.errors.empty());
}

TEST(Override, MyConnectedFleetCoreCanPreferBearer) {
  const auto result =
      overridden("my_connected_fleet", R"({"apis": {"core": {"schemes": ["bearer"]}, "tacho": {"path": "/tachograph/v2/"}}})");
  ASSERT_TRUE(result) << result.error()->message;
  EXPECT_EQ((*result)->api("core")->schemes, std::vector<std::string>{"bearer"});
  EXPECT_EQ((*result)->api("tacho")->path, "/tachograph/v2/");
}

TEST(Override, PatchAndBaseUrlGoTogether) {
  const auto result = overridden("fleetup", R"({"steps": {"token": {"path": "/v2/token"}}, "life": {"refresh_margin_s": 60}})",
                                 {{"api", "https://x.example.com"}});
  ASSERT_TRUE(result) << result.error()->message;
  EXPECT_EQ((*result)->step("token")->path.parts.front().text, "/v2/token");
  EXPECT_EQ((*result)->life.refresh_margin_ms, 60'000);
  EXPECT_EQ((*result)->origins[0].base_url, "https://x.example.com");
}

TEST(Override, APatchedDescriptorIsCheckedLikeAnyOther) {
  EXPECT_THAT(refused("fleetup", R"({"steps": {"token": {"pfad": "/x"}}})"),
              AllOf(HasSubstr("fleetup with descriptor_patch"), HasSubstr("/steps/token/pfad: unknown member \"pfad\"")));
  EXPECT_THAT(refused("fleetup", R"({"origins": {"api": "http://127.0.0.1"}})"), HasSubstr("/origins/api: must be https://"));
  EXPECT_THAT(refused("fleetup", R"({"steps": {"legacy_token": {"secret_in_url": null}}})"),
              HasSubstr("/query/secret: puts a secret into the URL"));
  EXPECT_THAT(refused("fleetup", "{"), HasSubstr("descriptor_patch:1: not valid JSON"));
  EXPECT_THAT(refused("fleetup", "[]"), HasSubstr("descriptor_patch must be a JSON object"));
}

}  // namespace
}  // namespace fleetauth::provider
