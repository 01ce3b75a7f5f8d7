#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/provider/client_config.h"

namespace fleetauth::provider {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Call {
  std::string origin = "https://api.masternautconnect.com";
  std::string path = {};
  std::string method = "GET";
  std::optional<std::string_view> scheme = {};
  std::optional<std::string_view> api = {};
};

/// A client to which everything was given that any scheme needs.
ClientConfig complete(const Descriptor &descriptor) {
  ClientConfig config;
  config.descriptor = std::make_shared<const Descriptor>(descriptor);
  config.usable_schemes.assign(descriptor.schemes.size(), true);
  return config;
}

// "api/scheme", or the error.
std::string resolved(const Descriptor &descriptor, const Call &call) {
  std::optional<Target> target;
  if (!call.path.empty()) target = Target{call.origin, call.path};
  const ClientConfig config = complete(descriptor);
  const auto result = resolve(config, call.scheme, call.api, target, call.method);
  if (!result) return std::string(status_name(result.error()->status)) + " " + result.error()->message;
  EXPECT_EQ(result->credential->name, result->scheme->credential);
  return (result->api == nullptr ? "-" : result->api->name) + "/" + result->scheme->name;
}

std::string connected_fleet(const Call &call) { return resolved(**builtin("my_connected_fleet"), call); }

TEST(Resolve, EveryGroupOfMyConnectedFleetHasItsDefaultScheme) {
  const std::string core = "/connect-webservices/services/public/v1";
  EXPECT_EQ(connected_fleet({.path = core + "/customer/7/tracking/live"}), "core/basic");
  EXPECT_EQ(connected_fleet({.path = core + "/customer/7/tire/events"}), "smart_tire/bearer");
  EXPECT_EQ(connected_fleet({.path = core + "/customer/7/tacho/files"}), "tacho/bearer");
  EXPECT_EQ(connected_fleet({.path = core + "/customer/7/vehicle-check/all"}), "vehicle_check/bearer");
  EXPECT_EQ(connected_fleet({.path = "/job-management/v1/customer/7/jobs", .method = "POST"}), "job_management/connect_token");
}

TEST(Resolve, PrefixesMatchWholeSegmentsOnly) {
  const std::string core = "/connect-webservices/services/public/v1";
  EXPECT_EQ(connected_fleet({.path = core}), "core/basic");
  EXPECT_EQ(connected_fleet({.path = core + "/customer/7/tire"}), "smart_tire/bearer");
  EXPECT_EQ(connected_fleet({.path = core + "/customer/7/tires"}), "core/basic");
  EXPECT_EQ(connected_fleet({.path = core + "/customer//tire/x"}), "core/basic") << "a star is one segment that is not empty";
  EXPECT_EQ(connected_fleet({.path = core + "/customer/7/8/tire/x"}), "core/basic");
  EXPECT_THAT(connected_fleet({.path = core + "2/customer"}), HasSubstr("E_CONFIG"));
}

TEST(Resolve, ASchemeThatLacksOptionsIsSaidTo) {
  const auto descriptor = builtin("my_connected_fleet");
  ClientConfig config = complete(**descriptor);
  config.usable_schemes.assign(config.usable_schemes.size(), false);
  const std::string path = "/connect-webservices/services/public/v1/customer/7/tire/events";
  const auto result = resolve(config, std::nullopt, std::nullopt, Target{"https://api.masternautconnect.com", path}, "GET");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error()->message,
              HasSubstr("the API group \"smart_tire\" is authorised by the scheme \"bearer\" or \"basic\", for which the "
                        "client was not given all that is needed"));
  const auto error = check_scheme(config, "bearer");
  ASSERT_NE(error, nullptr);
  EXPECT_THAT(error->message, HasSubstr("the scheme \"bearer\" needs more options than were given"));
}

TEST(Resolve, TheSelectedSchemeHoldsWhereItIsOffered) {
  EXPECT_EQ(connected_fleet({.path = "/connect-webservices/services/public/v1/x", .scheme = "bearer"}), "core/bearer");
  EXPECT_EQ(connected_fleet({.path = "/job-management/v1/x", .scheme = "bearer"}), "job_management/connect_token");
  EXPECT_THAT(connected_fleet({.path = "/job-management/v1/x", .scheme = "bearre"}),
              AllOf(HasSubstr("E_CONFIG"), HasSubstr("(did you mean \"bearer\"?)"),
                    HasSubstr("there are \"basic\", \"bearer\" or \"connect_token\"")));
}

TEST(Resolve, ForeignOriginsGetNoCredentials) {
  for (const char *origin : {"https://evil.example", "http://api.masternautconnect.com", "https://api.masternautconnect.com:8443",
                             "https://api.masternautconnect.com.evil.example", "https://api.masternautconnect.co"}) {
    EXPECT_THAT(connected_fleet({.origin = origin, .path = "/job-management/v1/x"}), HasSubstr("E_FOREIGN_ORIGIN")) << origin;
  }
  EXPECT_THAT(connected_fleet({.origin = "https://auth.masternautconnect.com", .path = "/x"}), HasSubstr("E_FOREIGN_ORIGIN"))
      << "tokens are fetched there, not used";
  EXPECT_THAT(connected_fleet({.origin = "https://evil.example", .path = "/x", .api = "core"}), HasSubstr("E_FOREIGN_ORIGIN"))
      << "naming the group does not change where credentials may go";
}

TEST(Resolve, ABaseUrlsPrefixBelongsToTheOrigin) {
  const auto descriptor = override_descriptor(*builtin("fleetup"), {}, {{"", "https://127.0.0.1:8443/fleetup"}});
  ASSERT_TRUE(descriptor);
  const std::string origin = "https://127.0.0.1:8443";
  EXPECT_EQ(resolved(**descriptor, {.origin = origin, .path = "/fleetup/devices"}), "api/jwt");
  EXPECT_EQ(resolved(**descriptor, {.origin = origin, .path = "/fleetup"}), "api/jwt");
  EXPECT_THAT(resolved(**descriptor, {.origin = origin, .path = "/fleetup2/devices"}), HasSubstr("E_FOREIGN_ORIGIN"));
  EXPECT_THAT(resolved(**descriptor, {.origin = origin, .path = "/"}), HasSubstr("E_FOREIGN_ORIGIN"));
}

TEST(Resolve, GroupsCanBeNamed) {
  EXPECT_EQ(connected_fleet({.path = "/anything", .api = "job_management"}), "job_management/connect_token");
  EXPECT_EQ(connected_fleet({.api = "core"}), "core/basic");
  EXPECT_THAT(connected_fleet({.api = "cor"}), AllOf(HasSubstr("E_CONFIG"), HasSubstr("(did you mean \"core\"?)")));
}

TEST(Resolve, WithoutUrlAndGroupATokenIsMeant) {
  EXPECT_EQ(connected_fleet({}), "-/bearer");
  EXPECT_EQ(connected_fleet({.scheme = "connect_token"}), "-/connect_token");
  EXPECT_EQ(resolved(**builtin("fleetup"), {}), "-/jwt");
  EXPECT_THAT(connected_fleet({.scheme = "nothing"}), HasSubstr("E_CONFIG"));
}

TEST(Resolve, WhatNoGroupCoversIsSaidWithoutThePath) {
  const std::string message = connected_fleet({.path = "/unknown/hunter2"});
  EXPECT_THAT(message, AllOf(HasSubstr("E_CONFIG"), HasSubstr("request option \"api\""), ::testing::Not(HasSubstr("hunter2"))));
}

constexpr std::string_view kShapes = R"({
  "descriptor": 1, "name": "acme", "title": "Acme",
  "parameters": {"key": {"type": "text", "required": true, "secret": true, "doc": "The key."}},
  "origins": {"api": "https://api.example.com"},
  "credentials": {"key": {"flow": "static_header"}},
  "schemes": {"key": {"credential": "key", "headers": {"x-key": {"$param": "key"}}}},
  "apis": {
    "all": {"origin": "api", "path": "/", "schemes": ["key"]},
    "late_star": {"origin": "api", "path": "/a/b/*", "schemes": ["key"]},
    "early_star": {"origin": "api", "path": "/*/b/c", "schemes": ["key"]},
    "writes": {"origin": "api", "path": "/a/b/*", "methods": ["POST", "PUT"], "schemes": ["key"]},
    "only_get": {"origin": "api", "path": "/get", "methods": ["GET"], "schemes": ["key"]}
  }
})";

TEST(Resolve, ALiteralSegmentBeatsAStarAndAMethodNoMethod) {
  const auto descriptor = parse_descriptor(kShapes, "acme.json");
  ASSERT_TRUE(descriptor) << descriptor.error()->message;
  const auto api = [&](const std::string &path, const std::string &method) {
    return resolved(*descriptor, {.origin = "https://api.example.com", .path = path, .method = method});
  };
  EXPECT_EQ(api("/a/b/c", "GET"), "late_star/key");
  EXPECT_EQ(api("/x/b/c", "GET"), "early_star/key");
  EXPECT_EQ(api("/a/b/c", "POST"), "writes/key");
  EXPECT_EQ(api("/a/b", "POST"), "all/key");
  EXPECT_EQ(api("/get/1", "GET"), "only_get/key");
  EXPECT_EQ(api("/get/1", "get"), "all/key") << "methods are compared exactly";
  EXPECT_EQ(api("/get/1", ""), "all/key");
  EXPECT_EQ(api("/", "GET"), "all/key");
}

TEST(CheckScheme, AcceptsWhatSomeGroupOffers) {
  EXPECT_EQ(check_scheme(complete(**builtin("fleetup")), "legacy"), nullptr);
  const auto error = check_scheme(complete(**builtin("fleetup")), "basic");
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->status, Status::Config);
  EXPECT_EQ(error->message, "fleetup: no API group offers the scheme \"basic\"; there are \"jwt\" or \"legacy\"");
}

}  // namespace
}  // namespace fleetauth::provider
