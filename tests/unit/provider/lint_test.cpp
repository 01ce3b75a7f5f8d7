#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/provider/descriptor.h"

namespace fleetauth::provider {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string read(const std::filesystem::path &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> bad_descriptors() {
  std::vector<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(BAD_DESCRIPTORS)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// bad/<name>.json is refused with exactly the lines of bad/<name>.expect, whose first line is about the JSON Schema (test_schema.py).
class BadDescriptor : public ::testing::TestWithParam<std::string> {};

TEST_P(BadDescriptor, IsRefusedWithPlaceAndReason) {
  const std::filesystem::path stem = std::filesystem::path(BAD_DESCRIPTORS) / GetParam();
  const auto result = parse_descriptor(read(stem.string() + ".json"), GetParam() + ".json");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error()->status, Status::Descriptor);
  const std::string expected = read(stem.string() + ".expect");
  EXPECT_EQ(result.error()->message + "\n", expected.substr(expected.find('\n') + 1));
}

INSTANTIATE_TEST_SUITE_P(Lint, BadDescriptor, ::testing::ValuesIn(bad_descriptors()), [](const auto &test) { return test.param; });

TEST(Lint, TwentyProblemsAreShownAndTheRestCounted) {
  const auto result = parse_descriptor(read(std::filesystem::path(BAD_DESCRIPTORS) / "too_many_problems.json"), "x");
  ASSERT_FALSE(result);
  EXPECT_EQ(std::count(result.error()->message.begin(), result.error()->message.end(), '\n'), 20);
  EXPECT_THAT(result.error()->message, EndsWith("\nand 10 more"));
}

TEST(Lint, ADescriptorAboveTheLimitIsNotRead) {
  const auto result = parse_descriptor(std::string(256 * 1024 + 1, ' '), "huge.json");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error()->message, HasSubstr("huge.json: a descriptor has at most 262144 bytes"));
}

TEST(Lint, AMessageNamesTheTypeThatWasFound) {
  constexpr std::pair<const char *, const char *> kFound[] = {{"null", "null"},    {"true", "a boolean"}, {"1", "an integer"},
                                                              {"1.5", "a number"}, {"[]", "an array"},    {"{}", "an object"}};
  for (const auto &[json, name] : kFound) {
    const auto result = parse_descriptor(std::string(R"({"descriptor": 1, "name": )") + json + "}", "x.json");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error()->message, HasSubstr(std::string("/name: must be a string, not ") + name));
  }
}

TEST(Lint, APlaceIsAJsonPointer) {
  const auto result = parse_descriptor(R"({"descriptor": 1, "a~b/c": 1})", "x.json");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error()->message, HasSubstr("x.json:1: /a~0b~1c: "));
}

TEST(Lint, AMessageStaysOneLineWhateverTheNames) {
  const auto result = parse_descriptor(R"({"descriptor": 1, "a\nb\u001b[31m": 1})", "x.json");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error()->message, HasSubstr("x.json:1: /a?b?[31m: unknown member \"a?b?[31m\""));
}

TEST(Lint, LiteralsAreNotRepeatedBecauseTheyMayBeSecrets) {
  const auto result = parse_descriptor(read(std::filesystem::path(BAD_DESCRIPTORS) / "secret_with_default.json"), "x");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error()->message, ::testing::Not(HasSubstr("hunter2")));
}

TEST(Documentation, TheCompleteExampleIsAValidDescriptor) {
  const std::string page = read(ADDING_A_PROVIDER);
  const std::size_t begin = page.find("```json\n") + 8;
  const auto descriptor = parse_descriptor(page.substr(begin, page.find("```", begin) - begin), "adding-a-provider.md");
  ASSERT_TRUE(descriptor) << descriptor.error()->message;
  EXPECT_EQ(descriptor->name, "acme");
}

TEST(Builtin, AllAreValidAndNamedAsTheirFiles) {
  std::vector<std::string_view> names;
  for (const Builtin &row : builtins()) {
    names.push_back(row.name);
    const auto descriptor = builtin(row.name);
    ASSERT_TRUE(descriptor) << descriptor.error()->message;
    EXPECT_EQ((*descriptor)->name, row.name);
    EXPECT_FALSE((*descriptor)->doc.empty());
    for (const Scheme &scheme : (*descriptor)->schemes) EXPECT_FALSE(scheme.doc.empty()) << row.name << " " << scheme.name;
    for (const Parameter &parameter : (*descriptor)->parameters) EXPECT_FALSE(parameter.env.empty()) << row.name << " " << parameter.name;
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_THAT(names, ::testing::IsSupersetOf({std::string_view("fleetup"), std::string_view("my_connected_fleet")}));
}

TEST(Builtin, AnUnknownOneIsAnsweredWithTheNamesThereAre) {
  const auto result = builtin("fleet_up");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error()->status, Status::Config);
  EXPECT_EQ(result.error()->message,
            "there is no built-in provider \"fleet_up\" (did you mean \"fleetup\"?); there are \"fleet_engine\", \"fleet_engine_device\", "
            "\"fleet_orchestrator\", \"fleetio\", "
            "\"fleetup\", \"motive\", \"my_connected_fleet\", "
            "\"oauth2\", \"samsara\", \"tn360\", \"trimble_maps\" or \"verizon_reveal\"");
}

TEST(Builtin, SurvivesItsOwnCanonicalText) {
  for (const Builtin &row : builtins()) {
    const auto descriptor = builtin(row.name);
    ASSERT_TRUE(descriptor);
    const std::string text = json::to_text((*descriptor)->source);
    const auto again = parse_descriptor(text, "again");
    ASSERT_TRUE(again) << again.error()->message;
    EXPECT_EQ(json::to_text(again->source), text);
  }
}

}  // namespace
}  // namespace fleetauth::provider
