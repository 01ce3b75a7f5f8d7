#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/provider/client_config.h"

namespace fleetauth::provider {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Options = std::vector<std::pair<std::string, std::string>>;

std::vector<GivenValue> given(const Options &options) {
  std::vector<GivenValue> out;
  for (const auto &[name, text] : options) out.push_back({name, SecretBytes(text)});
  return out;
}

Result<ClientConfig> configured(std::string_view provider, const Options &options) { return configure(*builtin(provider), given(options)); }

std::string refused(std::string_view provider, const Options &options) {
  const auto result = configured(provider, options);
  if (result) return "was accepted";
  EXPECT_EQ(result.error()->status, Status::Config);
  EXPECT_EQ(result.error()->provider, provider);
  return result.error()->message;
}

const Options kFleetUp{{"api_key", "key"}, {"acct_id", "12345"}, {"secret", "s3cret"}};

Options fleetup_with(const std::string &name, const std::string &value) {
  Options out = kFleetUp;
  for (auto &[option, text] : out) {
    if (option == name) text = value;
  }
  return out;
}

TEST(Configure, KeepsValuesWithTheirTypes) {
  const auto config = configured("fleetup", kFleetUp);
  ASSERT_TRUE(config) << config.error()->message;
  EXPECT_EQ(config->value("acct_id")->text.view(), "12345");
  EXPECT_EQ(config->value("acct_id")->type, ParameterType::Integer);
  EXPECT_EQ(config->value("secret")->text.view(), "s3cret");
  EXPECT_EQ(config->value("nothing"), nullptr);
}

TEST(Configure, AnUnknownOptionIsAnsweredWithTheNearest) {
  Options options = kFleetUp;
  options.emplace_back("acctid", "1");
  EXPECT_EQ(refused("fleetup", options), "fleetup: unknown option \"acctid\" (did you mean \"acct_id\"?)");
}

TEST(Configure, EverythingWrongIsNamedAtOnce) {
  const std::string message = refused("fleetup", {{"acct_id", "12a"}, {"colour", "red"}, {"secret", "x"}});
  EXPECT_THAT(message,
              AllOf(HasSubstr("\"acct_id\" must be a whole number"), HasSubstr("unknown option \"colour\""),
                    HasSubstr("option \"api_key\" (The x-api-key that FleetUp issued. Environment variable FLEETUP_API_KEY.) is missing")));
}

TEST(Configure, AnOptionGivenTwiceIsRefused) {
  Options options = kFleetUp;
  options.emplace_back("secret", "other");
  EXPECT_EQ(refused("fleetup", options), "fleetup: option \"secret\" is given twice");
}

TEST(Configure, EmptyRequiredOptionsAreRefused) {
  EXPECT_THAT(refused("fleetup", fleetup_with("secret", "")), HasSubstr("must not be empty"));
  EXPECT_THAT(refused("fleetup", fleetup_with("acct_id", "")), HasSubstr("must not be empty"));
}

TEST(Configure, IntegersAreStrictDecimalWithin64Bits) {
  for (const char *good : {"0", "7", "-7", "9223372036854775807", "-9223372036854775808"}) {
    EXPECT_TRUE(configured("fleetup", fleetup_with("acct_id", good))) << good;
  }
  for (const char *bad :
       {"007", "+7", " 7", "7 ", "7.0", "1e3", "0x7", "-", "--7", "-0", "9223372036854775808", "-9223372036854775809", "१"}) {
    EXPECT_THAT(refused("fleetup", fleetup_with("acct_id", bad)), HasSubstr("must be a whole number")) << bad;
  }
}

TEST(Configure, WhatCannotBeAHeaderIsRefusedAndNeverRepeated) {
  for (const char *bad :
       {"hunter2\r\nX-Evil: 1", "hunter2\n", "hunter2\x01", "hunter2\x7f", "hunter2\xc3\xa9", " hunter2", "hunter2 ", "hunter2\t"}) {
    EXPECT_THAT(refused("fleetup", fleetup_with("api_key", bad)), AllOf(HasSubstr("option \"api_key\""), Not(HasSubstr("hunter2")))) << bad;
  }
  EXPECT_THAT(refused("fleetup", fleetup_with("api_key", "hunter2\n")), HasSubstr("ends with a line break"));
  EXPECT_TRUE(configured("fleetup", fleetup_with("secret", "any\nthing \xc3\xa9"))) << "the secret travels in the body";
}

TEST(Configure, ABasicUserNameCannotHoldAColon) {
  EXPECT_EQ(refused("my_connected_fleet", {{"client_id", "a:b"}, {"client_secret", "x"}}),
            "my_connected_fleet: option \"client_id\" is the user name of Basic authentication, which cannot hold a colon");
  EXPECT_TRUE(configured("my_connected_fleet", {{"client_id", "ab"}, {"client_secret", "x:y"}}));
  EXPECT_TRUE(configured("my_connected_fleet", {{"client_id", "\xc3\xa4"}, {"client_secret", "\xc3\xa9"}})) << "UTF-8 is fine in the pair";
  EXPECT_EQ(refused("my_connected_fleet", {{"client_id", "ab"}, {"client_secret", "x\n"}}),
            "my_connected_fleet: option \"client_secret\" must not hold control characters or line breaks");
}

constexpr std::string_view kOptional = R"({
  "descriptor": 1, "name": "acme", "title": "Acme",
  "parameters": {
    "key": {"type": "text", "required": true, "secret": true, "doc": "The key."},
    "fleet": {"type": "integer", "default": 7, "doc": "The fleet."},
    "verbose": {"type": "boolean", "default": true, "doc": "Whether."},
    "note": {"type": "text", "doc": "A note."}
  },
  "origins": {"api": "https://api.example.com"},
  "credentials": {"key": {"flow": "static_header"}},
  "schemes": {"key": {"credential": "key", "headers": {"x-key": {"$param": "key"}}}},
  "apis": {"all": {"origin": "api", "path": "/", "schemes": ["key"]}}
})";

TEST(Configure, DefaultsFillInAndBooleansAreCanonical) {
  auto descriptor = parse_descriptor(kOptional, "acme.json");
  ASSERT_TRUE(descriptor) << descriptor.error()->message;
  const auto shared = std::make_shared<const Descriptor>(std::move(*descriptor));

  const auto defaults = configure(shared, given({{"key", "k"}}));
  ASSERT_TRUE(defaults) << defaults.error()->message;
  EXPECT_EQ(defaults->value("fleet")->text.view(), "7");
  EXPECT_EQ(defaults->value("verbose")->text.view(), "true");
  EXPECT_EQ(defaults->value("note"), nullptr);

  const auto set = configure(shared, given({{"key", "k"}, {"verbose", "0"}, {"note", ""}}));
  ASSERT_TRUE(set) << set.error()->message;
  EXPECT_EQ(set->value("verbose")->text.view(), "false");
  EXPECT_EQ(set->value("note"), nullptr) << "an empty optional text is one that was not given";

  const auto bad = configure(shared, given({{"key", "k"}, {"verbose", "yes"}}));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error()->message, "acme: option \"verbose\" must be true, false, 1 or 0");
}

}  // namespace
}  // namespace fleetauth::provider
