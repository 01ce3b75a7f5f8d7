// What of the secrets is left in this process, with the emulator in another one, over TLS.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "tests/secrets/memory_scan.h"
#include "tests/secrets/scene.h"

namespace secrets {
namespace {

using capi::Client;
using capi::Runtime;

std::string key_log() { return testing::TempDir() + "fleetauth-keylog-" + std::to_string(getpid()); }

class Residue : public testing::TestWithParam<const char *> {
 protected:
  static void SetUpTestSuite() { setenv("SSLKEYLOGFILE", key_log().c_str(), 1); }
  static void TearDownTestSuite() { std::filesystem::remove(key_log()); }

  void SetUp() override {
    emulator = std::make_unique<capi::Emulator>();
    elsewhere([this] {
      nlohmann::json config;
      api_key.reveal([&](std::string_view plain) { config["fleetup"]["accounts"][0]["api_key"] = plain; });
      secret.reveal([&](std::string_view plain) { config["fleetup"]["accounts"][0]["secret"] = plain; });
      config["fleetup"]["accounts"][0]["acctId"] = 12345;
      client_secret.reveal([&](std::string_view plain) { config["my_connected_fleet"]["clients"][0]["client_secret"] = plain; });
      config["my_connected_fleet"]["clients"][0]["client_id"] = "scan-client";
      config["my_connected_fleet"]["clients"][0]["customers"] = {"1001"};
      emulator->admin("POST", "/config", config);
    });
  }

  [[nodiscard]] Client fleetup(const Runtime &runtime, const std::string &scheme) const {
    return Bag()
        .set("api_key", api_key)
        .set("acct_id", "12345")
        .set("secret", secret)
        .set("scheme", scheme)
        .set("base_url", emulator->url() + "/fleetup")
        .set("ca_file", emulator->ca_file())
        .set("proxy", "none")
        .client(runtime.get(), "fleetup");
  }
  [[nodiscard]] Client connected_fleet(const Runtime &runtime) const {
    return Bag()
        .set("client_id", "scan-client")
        .set("client_secret", client_secret)
        .set("auth_base_url", emulator->url() + "/mcf-auth")
        .set("api_base_url", emulator->url() + "/mcf-api")
        .set("ca_file", emulator->ca_file())
        .set("proxy", "none")
        .client(runtime.get(), "my_connected_fleet");
  }

  /// A token with headers for the URL, remembered as something to search for.
  void use(const Client &client, const std::string &url) {
    const capi::Outcome outcome = capi::get_token(client.get(), url);
    ASSERT_EQ(outcome.status, FLEETAUTH_OK) << outcome.message();
    ASSERT_GT(fleetauth_token_header_count(outcome.token.get()), 0);
    if (fleetauth_token_kind(outcome.token.get()) == FLEETAUTH_TOKEN_BEARER) tokens.push_back(masked_token(outcome.token.get()));
    std::int32_t advice = 0;
    EXPECT_EQ(fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(outcome.token.get()),
                                               fleetauth_token_generation(outcome.token.get()), 401, nullptr, 0, &advice, nullptr),
              FLEETAUTH_OK);
  }

  /// Everything that must not be left, by what it is called in messages.
  [[nodiscard]] std::map<std::string, Masked> needles() const {
    std::map<std::string, Masked> all{{"api_key", api_key}, {"secret", secret}, {"client_secret", client_secret}};
    for (std::size_t i = 0; i < tokens.size(); ++i) all["token " + std::to_string(i + 1)] = tokens[i];
    const auto plain = all;
    for (const auto &[name, needle] : plain) {
      all[name + " as base64"] = needle.base64();
      all[name + " as UTF-16"] = needle.utf16();
    }
    all["Basic pair"] = client_secret.base64("scan-client:");
    return all;
  }
  [[nodiscard]] std::string urls(const char *path) const { return emulator->url() + path; }

  Masked api_key = random_secret();
  Masked secret = random_secret();
  Masked client_secret = random_secret();
  std::vector<Masked> tokens;
  std::unique_ptr<capi::Emulator> emulator;
};

std::string listed(const Places &places) {
  std::string out;
  for (const std::string &place : places) out += "\n  " + place;
  return out;
}

// The search itself works: it finds what is there, on the heap and freed.
TEST_P(Residue, TheSearchFindsWhatIsThere) {
  EXPECT_TRUE(find_in_memory(secret).empty());
  auto *copy = new std::string;
  secret.reveal([&](std::string_view plain) { *copy = plain; });
  EXPECT_EQ(find_in_memory(secret).size(), 1U);
  std::fill(copy->begin(), copy->end(), 'x');
  delete copy;
  EXPECT_TRUE(find_in_memory(secret).empty());
}

TEST_P(Residue, L01_T12_NothingIsLeftAfterTheClose) {
  {
    const Runtime runtime = capi::make_runtime({{"mode", GetParam()}});
    const Client jwt = fleetup(runtime, "jwt");
    const Client legacy = fleetup(runtime, "legacy");
    const Client oauth = connected_fleet(runtime);
    for (int round = 0; round < 3; ++round) {
      use(jwt, urls("/fleetup/devices"));
      use(legacy, urls("/fleetup/devices"));
      use(oauth, urls("/mcf-api/job-management/v1/customer/1001/jobs"));
      use(oauth, urls("/mcf-api/connect-webservices/services/public/v1/customer/1001/tracking/live"));
    }
    for (const Client *client : {&jwt, &legacy, &oauth}) fleetauth_client_close(client->get());
    ASSERT_EQ(fleetauth_runtime_close(runtime.get(), 10'000, nullptr), FLEETAUTH_OK);
  }
  ASSERT_GE(tokens.size(), 3U);
  for (const auto &[name, needle] : needles()) {
    const Places places = find_in_memory(needle);
    EXPECT_TRUE(places.empty()) << name << " is left in" << listed(places);
  }
}

// What a client keeps to renew its token with, and the token: each once, although a connection is open.
TEST_P(Residue, L01_IdleAClientHoldsItsTokenAndCredentialsOnce) {
  const Runtime runtime = capi::make_runtime({{"mode", GetParam()}});
  const Client jwt = fleetup(runtime, "jwt");
  const Client oauth = connected_fleet(runtime);
  for (const auto &[client, path] :
       {std::pair(&jwt, "/fleetup/devices"), std::pair(&oauth, "/mcf-api/job-management/v1/customer/1001/jobs")}) {
    const capi::Outcome outcome = capi::get_token(client->get(), urls(path));
    ASSERT_EQ(outcome.status, FLEETAUTH_OK) << outcome.message();
    tokens.push_back(masked_token(outcome.token.get()));
  }
  const std::vector<std::string> kept{"api_key", "secret", "client_secret", "token 1", "token 2"};
  for (const auto &[name, needle] : needles()) {
    const std::size_t expected = std::find(kept.begin(), kept.end(), name) != kept.end() ? 1 : 0;
    const Places places = find_once_settled(needle, expected);
    EXPECT_EQ(places.size(), expected) << name << " is in" << listed(places);
  }
}

TEST_P(Residue, L06_TheKeyLogStaysEmpty) {
  const Runtime runtime = capi::make_runtime({{"mode", GetParam()}});
  const Client client = fleetup(runtime, "jwt");
  use(client, urls("/fleetup/devices"));
  ASSERT_TRUE(std::filesystem::exists(key_log())) << "libcurl was not asked for one";
  EXPECT_EQ(std::filesystem::file_size(key_log()), 0U);
}

INSTANTIATE_TEST_SUITE_P(Mode, Residue, testing::Values("threaded", "manual"), [](const auto &mode) { return std::string(mode.param); });

}  // namespace
}  // namespace secrets
