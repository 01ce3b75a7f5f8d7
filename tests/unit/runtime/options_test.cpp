#include "core/runtime/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "tests/unit/runtime/scripted_host.h"

namespace fleetauth::runtime {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const provider::Descriptor> acme() {
  auto descriptor = provider::parse_descriptor(testing::kDescriptor, "acme.json");
  return std::make_shared<const provider::Descriptor>(std::move(*descriptor));
}

Options good() {
  Options options;
  options.set("user", "jo");
  options.set("password", "pa55word");
  return options;
}

/// The refusal of a client that has one option more.
ErrorPtr refusal(std::string_view name, std::string_view value) {
  Options options = good();
  options.set(name, value);
  auto setup = read_client_options(acme(), options);
  return setup ? nullptr : setup.error();
}

TEST(OptionsTest, WhatIsNotGivenHasItsDefault) {
  const auto setup = read_client_options(acme(), good());
  ASSERT_TRUE(setup) << setup.error()->message;
  EXPECT_EQ((*setup)->net->connect_timeout_ms, 5000);
  EXPECT_EQ((*setup)->net->attempt_timeout_ms, 15'000);
  EXPECT_EQ((*setup)->total_timeout_ms, 30'000);
  EXPECT_FALSE((*setup)->host_transport);
}

TEST(OptionsTest, TheEnvironmentsProxyIsReadOnce) {
  setenv("https_proxy", "http://first.test:1", 1);
  const auto setup = read_client_options(acme(), good());
  setenv("https_proxy", "no proxy at all", 1);
  const auto later = read_client_options(acme(), good());
  unsetenv("https_proxy");
  ASSERT_TRUE(setup) << setup.error()->message;
  EXPECT_EQ((*setup)->net->proxy.url.view(), "http://first.test:1");
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error()->message, HasSubstr("of the environment variable https_proxy"));
}

TEST(OptionsTest, EqualConfigurationsHaveEqualDigestsOthersDoNot) {
  const auto digest = [](std::string_view name, std::string_view value) {
    Options options = good();
    if (!name.empty()) options.set(name, value);
    return (*read_client_options(acme(), options))->digest;
  };
  EXPECT_EQ(digest("", ""), digest("", ""));
  for (const auto &[name, value] :
       std::vector<std::pair<std::string, std::string>>{{"user", "jane"},
                                                        {"password", "other"},
                                                        {"base_url", "https://api2.acme.test"},
                                                        {"transport", "host"},
                                                        {"proxy", "http://proxy.test:3128"},
                                                        {"ca_pem", "x"},
                                                        {"pinned_public_key", "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
                                                        {"total_timeout_ms", "1"},
                                                        {"refresh_margin_ms", "1"},
                                                        {"user_agent", "x"},
                                                        {"descriptor_patch", R"({"title": "Other"})"}}) {
    EXPECT_NE(digest("", ""), digest(name, value)) << name;
  }
}

TEST(OptionsTest, T17_TextThatIsMovedFromOneOptionToTheNextMakesAnotherDigest) {
  using Given = std::array<std::string, 3>;
  const auto descriptor = acme();
  std::minstd_rand random(17);
  std::map<Given, std::string> digests;
  std::map<std::string, Given> owners;
  for (int i = 0; i < 500; ++i) {
    Given given;  // parts of few texts, of what could pass for the end of a part
    for (int letter = 0; letter < 8; ++letter) given.at(random() % given.size()) += letter % 2 == 0 ? '1' : ':';
    Options options = good();
    std::size_t next = 0;
    for (const char *name : {"password", "user_agent", "ca_pem"}) options.set(name, "x" + given.at(next++));
    const auto setup = read_client_options(descriptor, options);
    ASSERT_TRUE(setup) << setup.error()->message;
    EXPECT_EQ(digests.emplace(given, (*setup)->digest).first->second, (*setup)->digest);
    EXPECT_EQ(owners.emplace((*setup)->digest, given).first->second, given);
  }
  EXPECT_GT(owners.size(), 100U);
}

TEST(OptionsTest, PinsAreDigestsAndNeverFiles) {
  const std::string pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  EXPECT_EQ(refusal("pinned_public_key", pin), nullptr);
  EXPECT_EQ(refusal("pinned_public_key", pin + ";" + pin), nullptr);
  for (const std::string &bad : {std::string("/etc/key.pem"), std::string("sha256//abc"), pin + ";key.pem", pin + ",", ";" + pin}) {
    const ErrorPtr error = refusal("pinned_public_key", bad);
    ASSERT_NE(error, nullptr) << bad;
    EXPECT_EQ(error->status, Status::Config);
    EXPECT_THAT(error->message, HasSubstr("sha256//BASE64"));
  }
}

TEST(OptionsTest, APinThatNobodyWouldCheckIsRefused) {
  Options options = good();
  options.set("transport", "host");
  options.set("pinned_public_key", "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  const auto setup = read_client_options(acme(), options);
  ASSERT_FALSE(setup);
  EXPECT_THAT(setup.error()->message, HasSubstr("no effect with transport=host"));
}

TEST(OptionsTest, RefusalsCannotBreakALineOfALog) {
  EXPECT_THAT(refusal("x\n\x1b[31m", "y")->message, HasSubstr("'x??[31m'"));
  EXPECT_THAT(refusal("scheme", "a\r\nb")->message, HasSubstr("\"a??b\""));
}

TEST(OptionsTest, RefusalsNameTheOptionAndWhatIsExpected) {
  const std::vector<std::tuple<std::string, std::string, Status, std::string>> cases = {
      {"passwort", "x", Status::Config, "did you mean 'password'"},
      {"proxi", "x", Status::Config, "did you mean 'proxy'"},
      {"connect_timeout_ms", "soon", Status::Config, "connect_timeout_ms must be a whole number from 1 to 600000"},
      {"connect_timeout_ms", "0", Status::Config, "from 1 to 600000"},
      {"connect_timeout_ms", "5 ", Status::Config, "whole number"},
      {"allow_loopback_http", "yes", Status::Config, "true or false"},
      {"transport", "pigeon", Status::Config, "one of curl, host"},
      {"scheme", "bearr", Status::Config, "bearer"},
      {"base_url", "http://api.acme.test", Status::Config, "https"},
      {"base_url", "http://127.0.0.1:8080", Status::Url, "allow_loopback_http"},
      {"base_url", "https://user:pw@api.acme.test", Status::Config, "without user name"},
      {"auth_base_url", "https://x.test", Status::Config, "auth_base_url"},
      {"descriptor_patch", "{", Status::Config, "descriptor_patch"},
      {"user", "", Status::Config, "user"},
      {"password", "", Status::Config, "password"},
      {"user", "a:b", Status::Config, "colon"},
  };
  for (const auto &[name, value, status, text] : cases) {
    const ErrorPtr error = refusal(name, value);
    ASSERT_NE(error, nullptr) << name << "=" << value;
    EXPECT_EQ(error->status, status) << name << "=" << value << ": " << error->message;
    EXPECT_THAT(error->message, HasSubstr(text)) << name << "=" << value;
    EXPECT_THAT(error->message, Not(HasSubstr("pa55word")));
  }
}

TEST(OptionsTest, AMissingParameterIsNamed) {
  Options options;
  options.set("user", "jo");
  const auto setup = read_client_options(acme(), options);
  ASSERT_FALSE(setup);
  EXPECT_THAT(setup.error()->message, HasSubstr("password"));
}

TEST(OptionsTest, CaFileAndCaPemExcludeEachOther) {
  Options options = good();
  options.set("ca_file", "a.pem");
  options.set("ca_pem", "b");
  const auto setup = read_client_options(acme(), options);
  ASSERT_FALSE(setup);
  EXPECT_THAT(setup.error()->message, HasSubstr("exclude each other"));
}

TEST(OptionsTest, AParameterCannotHaveTheNameOfAnOption) {
  std::string text(testing::kDescriptor);
  for (std::size_t at = 0; (at = text.find("\"user\"", at)) != std::string::npos;) text.replace(at, 6, "\"proxy\"");
  auto descriptor = provider::parse_descriptor(text, "acme.json");
  ASSERT_TRUE(descriptor) << descriptor.error()->message;
  const auto setup = read_client_options(std::make_shared<const provider::Descriptor>(std::move(*descriptor)), good());
  ASSERT_FALSE(setup);
  EXPECT_EQ(setup.error()->status, Status::Descriptor) << setup.error()->message;
}

TEST(OptionsTest, RuntimeAndRequestOptionsAreCheckedTheSameWay) {
  Options options;
  options.set("mode", "threadless");
  EXPECT_THAT(read_runtime_options(&options).error()->message, HasSubstr("threaded, manual"));
  Options unknown;
  unknown.set("mod", "manual");
  EXPECT_THAT(read_runtime_options(&unknown).error()->message, HasSubstr("did you mean 'mode'"));
  Options request;
  request.set("timeout_ms", "-1");
  EXPECT_THAT(read_request_options(&request).error()->message, HasSubstr("timeout_ms"));
  EXPECT_TRUE(read_request_options(nullptr));
}

}  // namespace
}  // namespace fleetauth::runtime
