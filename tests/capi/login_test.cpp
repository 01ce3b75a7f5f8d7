// Logins, one-time codes, identity, accounts and logout over real TLS, against the emulator.
#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "tests/capi/emulator.h"

namespace capi {
namespace {

using nlohmann::json;

class Login : public ::testing::TestWithParam<const char *> {
 protected:
  void SetUp() override {
    handles_before_ = fleetauth_live_handles();
    runtime = make_runtime({{"mode", GetParam()}});
  }
  void TearDown() override {
    runtime = {};
    EXPECT_EQ(fleetauth_live_handles(), handles_before_);
  }

  [[nodiscard]] Client make(const std::string &provider, const std::string &path, Texts options) const {
    options.insert(options.end(), {{"ca_file", emulator.ca_file()}, {"proxy", "none"}});
    if (!path.empty()) options.emplace_back("base_url", emulator.url() + path);
    return make_client(runtime.get(), provider, options);
  }
  [[nodiscard]] Client orchestrator(const std::string &user, const Texts &more = {}) const {
    Texts options{{"email", user + "@fleet.example"}, {"password", "demo-password"}};
    options.insert(options.end(), more.begin(), more.end());
    return make("fleet_orchestrator", "/fo", options);
  }
  [[nodiscard]] Client trimble(const std::string &key) const { return make("trimble_maps", "/trimble", {{"api_key", key}}); }
  [[nodiscard]] Client oauth2(Texts more) const {
    more.insert(more.end(), {{"client_id", "demo-client"},
                             {"client_secret", "demo-secret"},
                             {"auth_base_url", emulator.url() + "/oauth2"},
                             {"api_base_url", emulator.url() + "/oauth2-api"}});
    return make("oauth2", "", more);
  }
  void configure(const json &settings) { emulator.admin("POST", "/config", settings); }

  Emulator emulator;
  Runtime runtime;

 private:
  std::int64_t handles_before_ = 0;
};

Challenge challenge_of(const Outcome &outcome) {
  Challenge challenge;
  EXPECT_EQ(outcome.name(), "E_OTP_REQUIRED") << outcome.message();
  EXPECT_EQ(fleetauth_error_challenge(outcome.error.get(), challenge.out(), nullptr), FLEETAUTH_OK);
  return challenge;
}

Outcome answer(const Client &client, const Runtime &runtime, const Challenge &challenge, const std::string &code) {
  const Queue queue = make_queue(runtime.get(), FLEETAUTH_QUEUE_SYNC);
  Outcome outcome;
  Op op;
  outcome.status = fleetauth_client_answer(client.get(), challenge.get(), reinterpret_cast<const std::uint8_t *>(code.data()), code.size(),
                                           queue.get(), 1, op.out(), outcome.error.out());
  return outcome.status == FLEETAUTH_OK ? take_outcome(queue.get()) : std::move(outcome);
}

/// What an inquiry or a logout came to.
struct Reply {
  std::int32_t status = FLEETAUTH_OK;
  Error error;
  Identity identity;
  Accounts accounts;

  [[nodiscard]] std::string name() const { return fleetauth_status_name(status, nullptr); }
  [[nodiscard]] std::string message() const { return text_of(fleetauth_error_message, error.get()); }
  [[nodiscard]] std::map<std::string, std::string> fields() const {
    std::map<std::string, std::string> out;
    for (std::int32_t i = 0; i < fleetauth_identity_count(identity.get()); ++i) {
      out[fleetauth_identity_name(identity.get(), i, nullptr)] = fleetauth_identity_value(identity.get(), i, nullptr);
    }
    return out;
  }
};

Reply inquire(const Client &client, const Runtime &runtime, std::int32_t what) {
  const Queue queue = make_queue(runtime.get(), FLEETAUTH_QUEUE_SYNC);
  Reply reply;
  Op op;
  Event event;
  reply.status = fleetauth_client_inquire(client.get(), nullptr, what, queue.get(), 1, op.out(), reply.error.out());
  if (reply.status == FLEETAUTH_OK) reply.status = fleetauth_queue_next(queue.get(), 10'000, event.out(), reply.error.out());
  if (reply.status != FLEETAUTH_OK) return reply;
  reply.status = what == FLEETAUTH_INQUIRY_IDENTITY ? fleetauth_event_identity(event.get(), reply.identity.out(), reply.error.out())
                                                    : fleetauth_event_accounts(event.get(), reply.accounts.out(), reply.error.out());
  return reply;
}

Reply log_out(const Client &client, const Runtime &runtime) {
  const Queue queue = make_queue(runtime.get(), FLEETAUTH_QUEUE_SYNC);
  Reply reply;
  Op op;
  Event event;
  reply.status = fleetauth_client_logout(client.get(), queue.get(), 1, op.out(), reply.error.out());
  if (reply.status == FLEETAUTH_OK) reply.status = fleetauth_queue_next(queue.get(), 10'000, event.out(), reply.error.out());
  if (reply.status == FLEETAUTH_OK) reply.status = fleetauth_event_result(event.get(), reply.error.out());
  return reply;
}

Outcome token_of_account(const Client &client, const std::string &account, const std::string &url) {
  const Options options = make_options({{"account", account}});
  Request request;
  Outcome outcome;
  EXPECT_EQ(fleetauth_request_new(client.get(), options.get(), request.out(), nullptr), FLEETAUTH_OK);
  outcome.status = fleetauth_client_token(client.get(), request.get(), nullptr, 0, url.empty() ? nullptr : url.c_str(), url.size(),
                                          outcome.token.out(), outcome.error.out());
  return outcome;
}

// ---------------------------------------------------------------- Fleet Orchestrator

TEST_P(Login, PasswordThenRefresh) {
  const Client client = orchestrator("dispatcher");
  const std::string url = emulator.url() + "/fo/reservations?limit=10&page=1";
  const Outcome first = get_token(client.get(), url);
  ASSERT_EQ(first.name(), "OK") << first.message();
  EXPECT_EQ(emulator.get(url, first.token.get()).status, 200);

  emulator.admin("POST", "/revoke", {{"provider", "fleet_orchestrator"}, {"fingerprint", ""}});
  EXPECT_EQ(emulator.get(url, first.token.get()).status, 401);
  std::int32_t advice = 0;
  ASSERT_EQ(fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(first.token.get()),
                                             fleetauth_token_generation(first.token.get()), 401, nullptr, 0, &advice, nullptr),
            FLEETAUTH_OK);
  EXPECT_EQ(advice, FLEETAUTH_ADVICE_RETRY);
  const Outcome second = get_token(client.get(), url);
  ASSERT_EQ(second.name(), "OK") << second.message();
  EXPECT_EQ(emulator.get(url, second.token.get()).status, 200);
}

TEST_P(Login, RotatedRefreshTokensAreUsedOnce) {
  configure({{"fleet_orchestrator", {{"rotate_refresh", true}, {"rotation_strict", true}}}});
  const Client client = orchestrator("dispatcher");
  std::string last;
  for (int round = 0; round < 4; ++round) {
    const Outcome outcome = get_token(client.get());
    ASSERT_EQ(outcome.name(), "OK") << outcome.message();
    EXPECT_NE(outcome.secret(), last);
    last = outcome.secret();
    std::int32_t advice = 0;
    // Each is a fresh token in place of a refused one: reported by its own generation, only the first report renews.
    fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(outcome.token.get()),
                                     fleetauth_token_generation(outcome.token.get()), 401, nullptr, 0, &advice, nullptr);
    if (advice == FLEETAUTH_ADVICE_STOP) break;
  }
  EXPECT_EQ(emulator.requests("login"), 1U) << "renewed by the refresh token";
}

TEST_P(Login, H16_H17_AOneTimeCodeAtTheSecondTry) {
  const Client client = orchestrator("otp");
  const Outcome asked = get_token(client.get());
  const Challenge challenge = challenge_of(asked);
  EXPECT_EQ(get_token(client.get()).name(), "E_OTP_REQUIRED");
  EXPECT_EQ(emulator.requests("login"), 1U) << "nobody starts a second login meanwhile";

  const Outcome wrong = answer(client, runtime, challenge, "654321");
  EXPECT_EQ(wrong.name(), "E_OTP_REJECTED") << wrong.message();
  EXPECT_EQ(get_token(client.get()).name(), "E_OTP_REQUIRED") << "the question stays open";
  const Outcome right = answer(client, runtime, challenge, "123456");
  ASSERT_EQ(right.name(), "OK") << right.message();
  EXPECT_EQ(get_token(client.get()).secret(), right.secret());
  EXPECT_EQ(answer(client, runtime, challenge, "123456").name(), "E_OTP_OVER");
}

TEST_P(Login, T16_AChallengeIsAnsweredFromElsewhere) {
  const std::string key(32, 'k');
  const auto *key_bytes = reinterpret_cast<const std::uint8_t *>(key.data());
  Blob sealed;
  {
    const Client client = orchestrator("otp");
    const Challenge challenge = challenge_of(get_token(client.get()));
    ASSERT_EQ(fleetauth_client_seal_challenge(client.get(), challenge.get(), key_bytes, key.size(), sealed.out(), nullptr), FLEETAUTH_OK);
  }
  std::size_t size = 0;
  const std::uint8_t *bytes = fleetauth_blob_bytes(sealed.get(), &size);
  const Client other = orchestrator("dispatcher");
  Challenge opened;
  Error error;
  EXPECT_EQ(fleetauth_client_open_challenge(other.get(), bytes, size, key_bytes, key.size(), opened.out(), error.out()), FLEETAUTH_E_CRYPTO)
      << "another account's";
  EXPECT_EQ(fleetauth_client_open_challenge(other.get(), bytes, size, key_bytes, 31, opened.out(), error.out()), FLEETAUTH_E_KEY);

  const Client client = orchestrator("otp");
  ASSERT_EQ(fleetauth_client_open_challenge(client.get(), bytes, size, key_bytes, key.size(), opened.out(), error.out()), FLEETAUTH_OK)
      << text_of(fleetauth_error_message, error.get());
  const Outcome outcome = answer(client, runtime, opened, "123456");
  EXPECT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_EQ(emulator.requests("login"), 1U);
}

TEST_P(Login, ALogoutEndsTheQuestionForACode) {
  const Client client = orchestrator("otp");
  const Challenge challenge = challenge_of(get_token(client.get()));
  EXPECT_EQ(log_out(client, runtime).name(), "OK");
  EXPECT_EQ(answer(client, runtime, challenge, "123456").name(), "E_OTP_OVER");
}

TEST_P(Login, T17_AChallengeIsItsClientsOnly) {
  const Client client = orchestrator("otp");
  const Challenge challenge = challenge_of(get_token(client.get()));
  const Client other = orchestrator("dispatcher");
  EXPECT_EQ(answer(other, runtime, challenge, "123456").name(), "E_OTP_OVER");
  EXPECT_EQ(answer(client, runtime, challenge, "").name(), "E_INVALID_ARGUMENT");
  EXPECT_EQ(answer(client, runtime, challenge, "123456").name(), "OK");
}

TEST_P(Login, ATotpSecretNeedsNobody) {
  const Client client = orchestrator("totp", {{"totp_secret", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}});
  const Outcome outcome = get_token(client.get());
  EXPECT_EQ(outcome.name(), "OK") << outcome.message();
}

/// Codes of an authenticator app, with one clock for both sides.
class Authenticator : public Login {
 protected:
  void SetUp() override {
    Login::SetUp();
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    ASSERT_EQ(fleetauth_clock_manual_new(now, clock_.out(), nullptr), FLEETAUTH_OK);
    runtime = make_runtime({{"mode", GetParam()}}, clock_.get());
  }
  void TearDown() override {
    clock_ = {};
    Login::TearDown();
  }

  /// Another client of the same login each time.
  [[nodiscard]] Client another(const std::string &secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") {
    return orchestrator("totp", {{"totp_secret", secret}, {"attempt_timeout_ms", std::to_string(++attempt_timeout_ms_)}});
  }
  void pass_a_minute() {
    ASSERT_EQ(fleetauth_clock_advance(clock_.get(), 60'000, nullptr), FLEETAUTH_OK);
    emulator.admin("POST", "/clock", {{"advance_s", 60}});
  }
  void refuse_the_next_code() { emulator.fault({{"match", {{"path", "/fo/auth/verify-otp"}}}, {"times", 1}, {"do", {{"status", 401}}}}); }
  /// What a client gets a minute later, and whether it sent a code for it.
  struct Attempt {
    std::string name;
    bool sent = false;
  };
  Attempt attempt(const Client &client) {
    pass_a_minute();
    const std::size_t before = emulator.requests("one-time password");
    const Outcome outcome = get_token(client.get());
    return {outcome.name(), emulator.requests("one-time password") != before};
  }
  void expect_refused(const Attempt &attempt) {
    EXPECT_EQ(attempt.name, "E_OTP_REJECTED");
    EXPECT_TRUE(attempt.sent);
  }

 private:
  Clock clock_;
  int attempt_timeout_ms_ = 9'000;
};

TEST_P(Authenticator, T16_ClientsOfOneLoginSendACodeOnce) {
  ASSERT_EQ(get_token(another().get()).name(), "OK");
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = get_token(another().get());
    EXPECT_EQ(outcome.name(), "E_RATE_LIMITED") << outcome.message();
    EXPECT_NE(outcome.message().find("used up"), std::string::npos) << outcome.message();
  }
}

TEST_P(Authenticator, H17_ASecretWhoseCodesWereRefusedTwiceMakesNoMore) {
  const Client client = another(std::string(32, 'A'));
  expect_refused(attempt(client));
  expect_refused(attempt(client));
  EXPECT_FALSE(attempt(client).sent);
  const Outcome locked_out = get_token(client.get());
  EXPECT_NE(locked_out.message().find("not sent again"), std::string::npos) << locked_out.message();
  EXPECT_EQ(log_out(client, runtime).name(), "OK");
  expect_refused(attempt(client));
}

TEST_P(Authenticator, H17_ALoginMakesUpForTheRefusalBefore) {
  refuse_the_next_code();
  expect_refused(attempt(another()));
  EXPECT_EQ(attempt(another()).name, "OK");
  refuse_the_next_code();
  const Client client = another();
  expect_refused(attempt(client));
  EXPECT_EQ(attempt(client).name, "OK");
}

TEST_P(Authenticator, H17_ARenewalDoesNot) {
  const Client renewing = another();
  pass_a_minute();
  const Outcome first = get_token(renewing.get());
  ASSERT_EQ(first.name(), "OK") << first.message();
  const Client client = another();
  refuse_the_next_code();
  expect_refused(attempt(client));
  std::int32_t advice = 0;
  ASSERT_EQ(fleetauth_client_report_rejected(renewing.get(), fleetauth_token_slot(first.token.get()),
                                             fleetauth_token_generation(first.token.get()), 401, nullptr, 0, &advice, nullptr),
            FLEETAUTH_OK);
  ASSERT_EQ(get_token(renewing.get()).name(), "OK");
  refuse_the_next_code();
  expect_refused(attempt(client));
  EXPECT_FALSE(attempt(client).sent);
}

TEST_P(Login, H06_ARefreshTokenOutlivesThePasswordItCameFrom) {
  const Client client = orchestrator("dispatcher");
  const Outcome first = get_token(client.get());
  ASSERT_EQ(first.name(), "OK") << first.message();
  emulator.fault({{"match", {{"path", "/fo/auth/login"}}}, {"times", 1}, {"do", {{"status", 401}}}});
  const Client refused = orchestrator("dispatcher", {{"attempt_timeout_ms", "9000"}});
  EXPECT_EQ(get_token(refused.get()).name(), "E_INVALID_CREDENTIALS");
  const Outcome again = get_token(refused.get());
  EXPECT_NE(again.message().find("not sent again"), std::string::npos) << again.message();
  std::int32_t advice = 0;
  ASSERT_EQ(fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(first.token.get()),
                                             fleetauth_token_generation(first.token.get()), 401, nullptr, 0, &advice, nullptr),
            FLEETAUTH_OK);
  const Outcome renewed = get_token(client.get());
  EXPECT_EQ(renewed.name(), "OK") << renewed.message();
}

TEST_P(Login, T_5_ACodeIsOfTheProvidersTime) {
  for (const int ahead_s : {-600, 1200}) {
    emulator.admin("POST", "/clock", {{"advance_s", ahead_s}});
    runtime = make_runtime({{"mode", GetParam()}});
    const Client client = orchestrator("totp", {{"totp_secret", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}});
    const Outcome outcome = get_token(client.get());
    EXPECT_EQ(outcome.name(), "OK") << outcome.message();
  }
}

TEST_P(Login, WhoIsAskedWithEveryRole) {
  for (const std::string role : {"admin", "dispatcher", "viewer", "driver"}) {
    const Client client = orchestrator(role);
    const Reply reply = inquire(client, runtime, FLEETAUTH_INQUIRY_IDENTITY);
    ASSERT_EQ(reply.name(), "OK") << reply.message();
    EXPECT_EQ(reply.fields()["role"], role);
    EXPECT_EQ(reply.fields()["email"], role + "@fleet.example");
  }
}

TEST_P(Login, ATokenThatWhoamiRefusesIsRenewedOnce) {
  const Client client = orchestrator("viewer");
  ASSERT_EQ(get_token(client.get()).name(), "OK");
  emulator.admin("POST", "/revoke", {{"provider", "fleet_orchestrator"}, {"fingerprint", ""}});
  const Reply healed = inquire(client, runtime, FLEETAUTH_INQUIRY_IDENTITY);
  EXPECT_EQ(healed.name(), "OK") << healed.message();

  emulator.fault({{"match", {{"path", "/fo/auth/whoami"}}}, {"times", "always"}, {"do", {{"status", 401}}}});
  EXPECT_EQ(inquire(client, runtime, FLEETAUTH_INQUIRY_IDENTITY).name(), "E_ACCESS_DENIED");
}

TEST_P(Login, ALogoutForgets) {
  const Client client = orchestrator("admin");
  const std::string first = get_token(client.get()).secret();
  EXPECT_EQ(log_out(client, runtime).name(), "OK");
  EXPECT_NE(get_token(client.get()).secret(), first);
  EXPECT_EQ(emulator.requests("login"), 2U);
}

TEST_P(Login, ALogoutEndsInquiriesInsteadOfLoggingInAgain) {
  const Client client = orchestrator("admin");
  ASSERT_EQ(get_token(client.get()).name(), "OK");
  emulator.fault({{"match", {{"path", "/fo/auth/whoami"}}}, {"times", 1}, {"do", {{"hold", "whoami"}}}});
  const Queue queue = make_queue(runtime.get());
  Op op;
  ASSERT_EQ(fleetauth_client_inquire(client.get(), nullptr, FLEETAUTH_INQUIRY_IDENTITY, queue.get(), 1, op.out(), nullptr), FLEETAUTH_OK);
  emulator.await_requests(2, queue.get());
  EXPECT_EQ(log_out(client, runtime).name(), "OK");
  emulator.admin("POST", "/release", {{"gate", "whoami"}});
  Event event;
  Identity identity;
  ASSERT_EQ(fleetauth_queue_next(queue.get(), 10'000, event.out(), nullptr), FLEETAUTH_OK);
  EXPECT_EQ(fleetauth_event_identity(event.get(), identity.out(), nullptr), FLEETAUTH_E_CANCELLED);
  EXPECT_EQ(emulator.requests("login"), 1U);
}

// ---------------------------------------------------------------- Trimble Maps

TEST_P(Login, AResellersAccountsThroughOneClient) {
  const Client client = trimble("demo-partner-key");
  const Reply reply = inquire(client, runtime, FLEETAUTH_INQUIRY_ACCOUNTS);
  ASSERT_EQ(reply.name(), "OK") << reply.message();
  ASSERT_EQ(fleetauth_accounts_count(reply.accounts.get()), 2);
  EXPECT_STREQ(fleetauth_accounts_name(reply.accounts.get(), 0, nullptr), "Fleet Account 1");
  EXPECT_EQ(fleetauth_accounts_id(reply.accounts.get(), 2, nullptr), nullptr);

  const std::string vehicles = emulator.url() + "/trimble/vehicles";
  std::string last;
  for (std::int32_t i = 0; i < 2; ++i) {
    const Outcome outcome = token_of_account(client, fleetauth_accounts_id(reply.accounts.get(), i, nullptr), vehicles);
    ASSERT_EQ(outcome.name(), "OK") << outcome.message();
    EXPECT_NE(outcome.secret(), last);
    last = outcome.secret();
    EXPECT_EQ(emulator.get(vehicles, outcome.token.get()).status, 200);
  }
  const Outcome refused = token_of_account(client, "NOPE", "");
  EXPECT_EQ(refused.name(), "E_INVALID_CREDENTIALS");
  EXPECT_EQ(text_of(fleetauth_error_account, refused.error.get()), "NOPE");
}

TEST_P(Login, T17_TheSlotOfAForgottenAccountLeadsToNobodyElsesToken) {
  const Client client = make("trimble_maps", "/trimble", {{"api_key", "demo-partner-key"}, {"max_tokens", "1"}});
  std::int64_t slot = 0;
  std::int64_t generation = 0;
  {
    const Outcome first = token_of_account(client, "FLTACC1", "");
    ASSERT_EQ(first.name(), "OK") << first.message();
    slot = fleetauth_token_slot(first.token.get());
    generation = fleetauth_token_generation(first.token.get());
  }
  ASSERT_EQ(token_of_account(client, "FLTACC2", "").name(), "OK");
  EXPECT_EQ(emulator.requests("authenticate"), 2U);
  std::uint8_t buffer[4096];
  std::size_t size = 0;
  EXPECT_EQ(fleetauth_slot_copy(client.get(), slot, buffer, sizeof buffer, &size, &generation), FLEETAUTH_E_INVALID_ARGUMENT);
  std::int32_t advice = 0;
  EXPECT_EQ(fleetauth_client_report_rejected(client.get(), slot, generation, 401, nullptr, 0, &advice, nullptr), FLEETAUTH_OK);
  EXPECT_EQ(advice, FLEETAUTH_ADVICE_RETRY);
  ASSERT_EQ(token_of_account(client, "FLTACC1", "").name(), "OK");
  EXPECT_EQ(emulator.requests("authenticate"), 3U) << "it was forgotten";
}

TEST_P(Login, AnAccountThatSomebodyWaitsForIsNotForgotten) {
  const Client client = make("trimble_maps", "/trimble", {{"api_key", "demo-partner-key"}, {"max_tokens", "1"}});
  emulator.fault({{"match", {{"path", "/trimble/accounts/authenticate"}}}, {"times", 1}, {"do", {{"hold", "first"}}}});
  const Queue queue = make_queue(runtime.get());
  const Options options = make_options({{"account", "FLTACC1"}});
  Request request;
  Op op;
  ASSERT_EQ(fleetauth_request_new(client.get(), options.get(), request.out(), nullptr), FLEETAUTH_OK);
  ASSERT_EQ(fleetauth_client_start(client.get(), request.get(), nullptr, 0, nullptr, 0, queue.get(), 1, op.out(), nullptr), FLEETAUTH_OK);
  emulator.await_requests(1, queue.get());
  ASSERT_EQ(token_of_account(client, "FLTACC2", "").name(), "OK");
  emulator.admin("POST", "/release", {{"gate", "first"}});
  EXPECT_EQ(take_outcome(queue.get()).name(), "OK");
}

TEST_P(Login, ADirectCustomerHasNoAccountList) {
  const Client client = trimble("demo-fleet-key");
  const Reply reply = inquire(client, runtime, FLEETAUTH_INQUIRY_ACCOUNTS);
  EXPECT_EQ(reply.name(), "E_ACCESS_DENIED") << reply.message();
  EXPECT_EQ(inquire(client, runtime, FLEETAUTH_INQUIRY_IDENTITY).name(), "E_UNSUPPORTED");
}

TEST_P(Login, H07_ABadApiKeyIsSaidToBeOne) {
  const Client client = trimble("not-a-key");
  const Outcome outcome = get_token(client.get());
  EXPECT_EQ(outcome.name(), "E_INVALID_CREDENTIALS");
  EXPECT_NE(outcome.message().find("api_key"), std::string::npos) << outcome.message();
}

TEST_P(Login, AnAccountWhereThereAreNoneIsRefused) {
  const Client client = orchestrator("admin");
  EXPECT_EQ(token_of_account(client, "X", "").name(), "E_UNSUPPORTED");
}

// ---------------------------------------------------------------- OAuth2, Samsara, Verizon Reveal

TEST_P(Login, OAuth2EveryWay) {
  const std::string resource = emulator.url() + "/oauth2-api/resource";
  for (const Texts &more : std::vector<Texts>{{{"scope", "fleet.read"}},
                                              {{"scheme", "client_secret_post"}},
                                              {{"refresh_token", "demo-refresh-token"}},
                                              {{"refresh_token", "demo-refresh-token"}, {"scheme", "refresh_token_post"}}}) {
    const Client client = oauth2(more);
    const Outcome outcome = get_token(client.get(), resource);
    ASSERT_EQ(outcome.name(), "OK") << outcome.message();
    EXPECT_EQ(emulator.get(resource, outcome.token.get()).status, 200);
  }
}

TEST_P(Login, OAuth2ALogoutRevokes) {
  const std::string resource = emulator.url() + "/oauth2-api/resource";
  const Client client = oauth2({{"refresh_token", "demo-refresh-token"}, {"revoke_path", "revoke"}});
  const Outcome outcome = get_token(client.get(), resource);
  ASSERT_EQ(outcome.name(), "OK") << outcome.message();
  const Reply reply = log_out(client, runtime);
  EXPECT_EQ(reply.name(), "OK") << reply.message();
  EXPECT_EQ(emulator.get(resource, outcome.token.get()).status, 401);
  EXPECT_EQ(get_token(client.get()).name(), "E_LOGIN_REQUIRED");
}

TEST_P(Login, OAuth2ALogoutRevokesARefreshTokenThatWasNotUsed) {
  for (const std::string scheme : {"refresh_token", "refresh_token_post"}) {
    configure({{"oauth2", {{"first_refresh_tokens", json::array({scheme})}}}});
    const Texts options{{"refresh_token", scheme}, {"scheme", scheme}, {"revoke_path", "revoke"}};
    {
      const Client client = oauth2(options);
      EXPECT_EQ(log_out(client, runtime).name(), "OK");
      EXPECT_EQ(log_out(client, runtime).name(), "OK") << "there is nothing left to revoke";
    }
    EXPECT_EQ(emulator.requests("revoke"), 1U) << "not once more for the scheme that is not used";
    EXPECT_EQ(get_token(oauth2(options).get()).name(), "E_LOGIN_REQUIRED");
    emulator.admin("DELETE", "/log");
  }
}

TEST_P(Login, OAuth2TheNextClientBeginsWithTheRefreshTokenItWasGiven) {
  Event kept;
  const Queue queue = make_queue(runtime.get());
  {
    const Client client = oauth2({{"refresh_token", "demo-refresh-token"}});
    const Op op = start(client.get(), queue.get(), 1);
    ASSERT_EQ(fleetauth_queue_next(queue.get(), 10'000, kept.out(), nullptr), FLEETAUTH_OK) << "and keeps what its client was made of";
  }
  const Client client = oauth2({{"refresh_token", "demo-refresh-token"}});
  const Outcome outcome = get_token(client.get());
  EXPECT_EQ(outcome.name(), "OK") << outcome.message();
}

TEST_P(Login, OAuth2AnEmptyRefreshTokenIsNone) {
  const Client client = oauth2({{"refresh_token", ""}});
  const Outcome outcome = get_token(client.get());
  ASSERT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_STREQ(fleetauth_token_scheme(outcome.token.get(), nullptr), "client_credentials");
}

TEST_P(Login, SamsaraRotatesAndRevokes) {
  const std::string vehicles = emulator.url() + "/samsara/fleet/vehicles";
  const Client client = make("samsara", "/samsara",
                             {{"client_id", "demo-client"}, {"client_secret", "demo-secret"}, {"refresh_token", "demo-refresh-token"}});
  const Outcome first = get_token(client.get(), vehicles);
  ASSERT_EQ(first.name(), "OK") << first.message();
  std::int32_t advice = 0;
  fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(first.token.get()), fleetauth_token_generation(first.token.get()),
                                   401, nullptr, 0, &advice, nullptr);
  const Outcome second = get_token(client.get(), vehicles);
  ASSERT_EQ(second.name(), "OK") << second.message();
  EXPECT_EQ(emulator.get(vehicles, second.token.get()).status, 200);
  EXPECT_EQ(log_out(client, runtime).name(), "OK");
  EXPECT_EQ(emulator.get(vehicles, second.token.get()).status, 401);
}

TEST_P(Login, VerizonRevealAndTheKeysOfTheOthers) {
  const auto opens = [&](const Client &client, const std::string &path) {
    const Outcome outcome = get_token(client.get(), emulator.url() + path);
    EXPECT_EQ(outcome.name(), "OK") << outcome.message();
    return outcome.name() == "OK" && emulator.get(emulator.url() + path, outcome.token.get()).status == 200;
  };
  EXPECT_TRUE(opens(
      make("verizon_reveal", "/reveal", {{"username", "demo-user"}, {"password", "demo-password"}, {"app_id", "fleetmatics-p-us-demo"}}),
      "/reveal/cmd/v1/vehicles"));
  EXPECT_TRUE(
      opens(make("fleetio", "/fleetio", {{"api_key", "demo-fleetio-key"}, {"account_token", "demo-account"}}), "/fleetio/api/v1/users/me"));
  EXPECT_TRUE(opens(make("motive", "/motive", {{"api_key", "demo-motive-key"}}), "/motive/v1/companies"));
  EXPECT_TRUE(opens(make("tn360", "/tn360", {{"api_key", "demo-tn360-key"}}), "/tn360/v1/vehicles"));
  EXPECT_TRUE(opens(make("samsara", "/samsara", {{"api_token", "demo-samsara-token"}}), "/samsara/fleet/vehicles"));
}

INSTANTIATE_TEST_SUITE_P(Modes, Authenticator, ::testing::Values("threaded", "manual"));
INSTANTIATE_TEST_SUITE_P(Modes, Login, ::testing::Values("threaded", "manual"));

}  // namespace
}  // namespace capi
