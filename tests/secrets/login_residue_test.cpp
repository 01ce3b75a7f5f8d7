// What of a login, its one-time codes and a minted token is left in this process, with the emulator in another one, over TLS.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/secrets/made_key.h"
#include "tests/secrets/memory_scan.h"
#include "tests/secrets/scene.h"

namespace secrets {
namespace {

using capi::Client;
using capi::Runtime;

/// What an authenticator app is given: 32 random characters of base32.
Masked random_base32() {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::random_device random;
  char plain[32];
  for (char &c : plain) c = kAlphabet[random() % kAlphabet.size()];
  Masked secret({plain, sizeof plain});
  explicit_bzero(plain, sizeof plain);
  return secret;
}

class LoginResidue : public testing::TestWithParam<const char *> {
 protected:
  /// Every login is answered with a challenge, every code with tokens, and the refresh token with the next ones.
  void SetUp() override {
    elsewhere([this] {
      tell_emulator("/fo/auth/login", {{"requires2FA", true}, {"tempToken", plain("challenge's token")}, {"sessionId", 77}});
      tell_emulator("/fo/auth/verify-otp", tokens("access token", "refresh token"));
      tell_emulator("/fo/auth/refresh-token", tokens("next access token", "next refresh token"));
    });
  }

  void tell_emulator(const char *path, const nlohmann::json &body) {
    emulator.fault({{"match", {{"path", path}}}, {"do", {{"status", 200}, {"body", body}}}});
  }
  [[nodiscard]] nlohmann::json tokens(const char *access, const char *refresh) const {
    return {{"accessToken", plain(access)}, {"refreshToken", plain(refresh)}, {"expiresIn", 3600}};
  }
  [[nodiscard]] std::string plain(const char *name) const {
    std::string out;
    secrets.at(name).reveal([&](std::string_view text) { out = text; });
    return out;
  }

  [[nodiscard]] Bag account(const char *email) const {
    Bag bag;
    bag.set("email", email).set("password", secrets.at("password"));
    bag.set("base_url", emulator.url() + "/fo").set("ca_file", emulator.ca_file()).set("proxy", "none");
    return bag;
  }

  void answer(const Client &client, const capi::Outcome &outcome) {
    capi::Challenge challenge;
    capi::Op op;
    const capi::Queue queue = capi::make_queue(runtime.get(), FLEETAUTH_QUEUE_SYNC);
    ASSERT_EQ(fleetauth_error_challenge(outcome.error.get(), challenge.out(), nullptr), FLEETAUTH_OK) << outcome.message();
    secrets.at("one-time code").reveal([&](std::string_view code) {
      EXPECT_EQ(fleetauth_client_answer(client.get(), challenge.get(), reinterpret_cast<const std::uint8_t *>(code.data()), code.size(),
                                        queue.get(), 1, op.out(), nullptr),
                FLEETAUTH_OK);
    });
    const capi::Outcome answered = capi::take_outcome(queue.get());
    EXPECT_EQ(answered.name(), "OK") << answered.message();
  }

  /// Gets another token than the client has.
  static void renew(const Client &client) {
    const capi::Outcome first = capi::get_token(client.get());
    ASSERT_EQ(first.name(), "OK") << first.message();
    std::int32_t advice = 0;
    EXPECT_EQ(fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(first.token.get()),
                                               fleetauth_token_generation(first.token.get()), 401, nullptr, 0, &advice, nullptr),
              FLEETAUTH_OK);
    const capi::Outcome second = capi::get_token(client.get());
    ASSERT_EQ(second.name(), "OK") << second.message();
    EXPECT_NE(fleetauth_token_generation(second.token.get()), fleetauth_token_generation(first.token.get()));
  }

  void expect_none_of(const std::vector<const char *> &names) const {
    for (const char *name : names) {
      for (const Masked &form : {secrets.at(name), secrets.at(name).base64(), secrets.at(name).utf16()}) {
        for (const std::string &place : find_once_settled(form, 0)) ADD_FAILURE() << name << " is left at " << place;
      }
    }
  }
  void expect_none_of_all() const {
    for (const auto &[name, secret] : secrets) expect_none_of({name.c_str()});
  }

  std::map<std::string, Masked> secrets{{"password", random_secret()},          {"authenticator's secret", random_base32()},
                                        {"one-time code", random_secret()},     {"challenge's token", random_secret()},
                                        {"access token", random_secret()},      {"refresh token", random_secret()},
                                        {"next access token", random_secret()}, {"next refresh token", random_secret()}};
  capi::Emulator emulator;
  Runtime runtime = capi::make_runtime({{"mode", GetParam()}});
};

TEST_P(LoginResidue, L01_T12_T16_OfACodeThatWasAskedForNothingIsLeft) {
  {
    const Client client = account("otp@fleet.example").client(runtime.get(), "fleet_orchestrator");
    answer(client, capi::get_token(client.get()));
    expect_none_of({"one-time code", "challenge's token"});
    EXPECT_EQ(find_once_settled(secrets.at("access token"), 1).size(), 1U) << "the search finds nothing at all";
    EXPECT_EQ(find_once_settled(secrets.at("refresh token"), 1).size(), 1U) << "the search finds nothing at all";
    renew(client);
    expect_none_of({"access token", "refresh token"});
    fleetauth_client_close(client.get());
    ASSERT_EQ(fleetauth_runtime_close(runtime.get(), 10'000, nullptr), FLEETAUTH_OK);
  }
  expect_none_of_all();
}

TEST_P(LoginResidue, L01_T12_T16_OfAnAuthenticatorsSecretNothingIsLeft) {
  {
    const Client client =
        account("totp@fleet.example").set("totp_secret", secrets.at("authenticator's secret")).client(runtime.get(), "fleet_orchestrator");
    renew(client);
    expect_none_of({"challenge's token", "access token", "refresh token"});
    EXPECT_EQ(find_once_settled(secrets.at("next refresh token"), 1).size(), 1U) << "the search finds nothing at all";
    fleetauth_client_close(client.get());
    ASSERT_EQ(fleetauth_runtime_close(runtime.get(), 10'000, nullptr), FLEETAUTH_OK);
  }
  expect_none_of_all();
}

TEST_P(LoginResidue, L01_T12_OfAMintedTokenNothingIsLeft) {
  MadeKey key(true);
  Masked signature;
  {
    Bag bag;
    bag.set("service_account", Masked(key.json())).set("claim_set", "server");
    key.forget();
    const Client client = bag.client(runtime.get(), "fleet_engine");
    {
      const capi::Outcome outcome = capi::get_token(client.get());
      ASSERT_EQ(outcome.name(), "OK") << outcome.message();
      constexpr std::size_t kPart = 48;
      std::size_t size = 0;
      const std::uint8_t *end = fleetauth_token_secret(outcome.token.get(), &size) + size;
      signature = Masked({reinterpret_cast<const char *>(end - kPart), kPart});
    }
    EXPECT_EQ(find_once_settled(signature, 1).size(), 1U) << "the search finds nothing at all";
    fleetauth_client_close(client.get());
    ASSERT_EQ(fleetauth_runtime_close(runtime.get(), 10'000, nullptr), FLEETAUTH_OK);
  }
  for (const std::string &place : find_in_memory(signature)) ADD_FAILURE() << "the token's signature is left at " << place;
  for (const auto *needles : {&key.needles, &key.numbers}) {
    for (const auto &[name, needle] : *needles) {
      for (const std::string &place : find_in_memory(needle)) ADD_FAILURE() << name << " is left at " << place;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Mode, LoginResidue, testing::Values("threaded", "manual"),
                         [](const auto &mode) { return std::string(mode.param); });

}  // namespace
}  // namespace secrets
