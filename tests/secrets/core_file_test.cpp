// What of the secrets stands in a core file of this process while its clients are idle, with the emulator in another one, over TLS.
#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <filesystem>
#include <map>

#include "tests/process/child.h"
#include "tests/secrets/made_key.h"
#include "tests/secrets/memory_scan.h"
#include "tests/secrets/scene.h"

namespace secrets {
namespace {

using capi::Client;
using capi::Runtime;

class CoreFile : public testing::TestWithParam<const char *> {
 protected:
  void SetUp() override {
    if (std::string_view(GCORE).empty()) GTEST_SKIP() << "gcore, of the package gdb, is not installed";
    elsewhere([this] {
      tell_emulator({{"path", "/fleetup/token"}}, {{"token", plain("FleetUp's token")}});
      tell_emulator({{"path", "/fo/auth/login"}},
                    {{"accessToken", plain("access token")}, {"refreshToken", plain("refresh token")}, {"expiresIn", 3600}});
      tell_emulator({{"path", "/samsara/oauth2/token"}}, {{"access_token", plain("renewed access token")},
                                                          {"refresh_token", plain("renewed refresh token")},
                                                          {"token_type", "bearer"},
                                                          {"expires_in", 3600}});
    });
  }

  void tell_emulator(const nlohmann::json &match, const nlohmann::json &body) {
    emulator.fault({{"match", match}, {"do", {{"status", 200}, {"body", body}}}});
  }
  [[nodiscard]] std::string plain(const char *name) const {
    std::string out;
    secrets.at(name).reveal([&](std::string_view text) { out = text; });
    return out;
  }

  /// A client with a token for the URL.
  Client working(const Bag &bag, const char *provider, const std::string &url, const capi::Texts &claims = {}) {
    Client client = bag.client(runtime.get(), provider);
    capi::Request request;
    if (!claims.empty()) {
      EXPECT_EQ(fleetauth_request_new(client.get(), capi::make_options(claims).get(), request.out(), nullptr), FLEETAUTH_OK);
    }
    capi::Token token;
    capi::Error error;
    EXPECT_EQ(fleetauth_client_token(client.get(), request.get(), nullptr, 0, url.data(), url.size(), token.out(), error.out()),
              FLEETAUTH_OK)
        << fleetauth_error_message(error.get(), nullptr);
    if (!claims.empty()) secrets.emplace("minted token", masked_token(token.get()));
    return client;
  }

  [[nodiscard]] Bag bag(const char *origin, const std::string &path) const {
    Bag out;
    out.set(origin, emulator.url() + path).set("ca_file", emulator.ca_file()).set("proxy", "none");
    return out;
  }

  /// A client whose proxy refuses its user.
  [[nodiscard]] Client refused_by_proxy() const {
    const std::string origin = emulator.url();  // answers nobody's CONNECT
    Bag options = bag("base_url", "/fleetup");
    options.set("api_key", "key").set("acct_id", "1").set("secret", "s");
    options.set("proxy", secrets.at("proxy's password").between("https://scan:", "@" + origin.substr(origin.find("//") + 2)));
    Client client = options.client(runtime.get(), "fleetup");
    capi::Token token;
    capi::Error error;
    EXPECT_EQ(fleetauth_client_token(client.get(), nullptr, "jwt", FLEETAUTH_NTS, nullptr, 0, token.out(), error.out()), FLEETAUTH_E_PROXY)
        << fleetauth_error_message(error.get(), nullptr);
    return client;
  }

  /// Writes one and names it.
  static std::string write_core_file() {
    const std::string prefix = testing::TempDir() + "fleetauth-core";
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    EXPECT_EQ(process::wait_for(process::spawn({GCORE, "-o", prefix, std::to_string(getpid())})).status, 0);
    return prefix + "." + std::to_string(getpid());
  }

  [[nodiscard]] std::map<std::string, Masked> needles() const {
    std::map<std::string, Masked> all;
    for (const auto &[name, needle] : secrets) {
      all[name] = needle;
      all[name + " as base64"] = needle.base64();
      all[name + " as UTF-16"] = needle.utf16();
    }
    all["Basic pair"] = secrets.at("client secret").base64("scan-client:");
    all["Basic pair for the proxy"] = secrets.at("proxy's password").base64("scan:");
    all.insert(key.needles.begin(), key.needles.end());
    all.insert(key.numbers.begin(), key.numbers.end());
    return all;
  }

  std::map<std::string, Masked> secrets{{"API key", random_secret()},
                                        {"FleetUp's secret", random_secret()},
                                        {"FleetUp's token", random_secret()},
                                        {"password", random_secret()},
                                        {"access token", random_secret()},
                                        {"refresh token", random_secret()},
                                        {"client secret", random_secret()},
                                        {"proxy's password", random_secret()},
                                        {"first refresh token", random_secret()},
                                        {"renewed access token", random_secret()},
                                        {"renewed refresh token", random_secret()}};
  MadeKey key{true};
  capi::Emulator emulator;
  Runtime runtime = capi::make_runtime({{"mode", GetParam()}});
};

TEST_P(CoreFile, L02_T12_HoldsNoSecretOfIdleClients) {
  const Client fleetup = working(bag("base_url", "/fleetup")
                                     .set("api_key", secrets.at("API key"))
                                     .set("acct_id", "12345")
                                     .set("secret", secrets.at("FleetUp's secret")),
                                 "fleetup", emulator.url() + "/fleetup/devices");
  const Client login = working(bag("base_url", "/fo").set("email", "admin@fleet.example").set("password", secrets.at("password")),
                               "fleet_orchestrator", emulator.url() + "/fo/vehicles");
  const Client oauth = working(bag("base_url", "/samsara")
                                   .set("client_id", "scan-client")
                                   .set("client_secret", secrets.at("client secret"))
                                   .set("refresh_token", secrets.at("first refresh token")),
                               "samsara", emulator.url() + "/samsara/fleet/vehicles");
  const Client minter =
      working(bag("base_url", "/fleet-engine").set("service_account", Masked(key.json())), "fleet_engine",
              emulator.url() + "/fleet-engine/v1/providers/demo-project/vehicles/v1", {{"claims", R"({"vehicleid":"v1"})"}});
  const Client by_proxy = refused_by_proxy();
  key.forget();
  for (const char *last : {"renewed access token", "renewed refresh token"})
    EXPECT_EQ(find_once_settled(secrets.at(last), 1).size(), 1U) << last;

  const Masked control = random_secret();
  const std::string dumped = [&] {
    std::string copy;
    control.reveal([&](std::string_view text) { copy = text; });
    return copy;
  }();
  const std::string core = write_core_file();
  EXPECT_FALSE(find_in_file(control, core).empty()) << "the search finds nothing at all";
  for (const auto &[name, needle] : needles()) {
    for (const std::string &place : find_in_file(needle, core)) ADD_FAILURE() << name << " is at " << place;
  }
  std::filesystem::remove(core);
}

INSTANTIATE_TEST_SUITE_P(Mode, CoreFile, testing::Values("threaded", "manual"), [](const auto &mode) { return std::string(mode.param); });

}  // namespace
}  // namespace secrets
