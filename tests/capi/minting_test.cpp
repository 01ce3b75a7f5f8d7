// Tokens that are made here, by the host's signer, or by the fleet's own backend: over real TLS, against the emulator.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <latch>
#include <set>
#include <thread>

#include "tests/capi/emulator.h"
#include "tests/process/child.h"

namespace capi {
namespace {

using nlohmann::json;

constexpr std::int64_t kWall = 1'767'323'045'000;  // 2026-01-02T03:04:05Z
constexpr const char *kProject = "/fleet-engine/v1/providers/demo-project/";

/// What the host of a client with signer=host has: the key, which stays with it.
class HostKey {
 public:
  explicit HostKey(const std::string &pem) {
    BIO *bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    key_.reset(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
    BIO_free(bio);
    if (key_ == nullptr) throw std::runtime_error("the emulator's key is no key");
  }

  [[nodiscard]] std::string sign(const std::string &data) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::array<unsigned char, 512> signature{};
    std::size_t size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &size, reinterpret_cast<const unsigned char *>(data.data()), data.size()) != 1) {
      throw std::runtime_error("the host's signer fails");
    }
    return {reinterpret_cast<const char *>(signature.data()), size};
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{nullptr, EVP_PKEY_free};
};

/// The threads of this process, or those of them that have a name.
std::set<std::string> threads(const std::string &name = "") {
  std::set<std::string> out;
  for (const auto &entry : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string comm;
    std::ifstream(entry.path() / "comm") >> comm;
    if (name.empty() || comm == name) out.insert(entry.path().filename());
  }
  return out;
}

bool has_new(const std::set<std::string> &before, const std::set<std::string> &after) {
  return !std::includes(before.begin(), before.end(), after.begin(), after.end());
}

class Minting : public ::testing::Test {
 protected:
  void SetUp() override {
    handles_before_ = fleetauth_live_handles();
    key_file = emulator.admin("GET", "/fleet_engine/service_account");
    runtime = make_runtime();
  }
  void TearDown() override {
    if (runtime.get() != nullptr) {
      EXPECT_EQ(fleetauth_runtime_close(runtime.get(), 10'000, nullptr), FLEETAUTH_OK);
    }
    runtime = {};
    clock = {};
    EXPECT_EQ(fleetauth_live_handles(), handles_before_);
  }

  /// A runtime and an emulator whose time passes when the test says so.
  void use_manual_clock(const std::string &mode) {
    ASSERT_EQ(fleetauth_clock_manual_new(kWall, clock.out(), nullptr), FLEETAUTH_OK);
    runtime = make_runtime({{"mode", mode}}, clock.get());
    emulator.admin("POST", "/clock", {{"manual", true}, {"set_s", kWall / 1000}});
  }
  void pass(std::int64_t seconds) {
    emulator.admin("POST", "/clock", {{"advance_s", seconds}});
    ASSERT_EQ(fleetauth_clock_advance(clock.get(), seconds * 1000, nullptr), FLEETAUTH_OK);
  }

  [[nodiscard]] Texts with_key(Texts more = {}) const {
    more.emplace_back("service_account", key_file.dump());
    return with_address(std::move(more));
  }
  [[nodiscard]] Texts with_address(Texts more) const {
    more.insert(more.end(), {{"base_url", emulator.url() + "/fleet-engine"}, {"ca_file", emulator.ca_file()}, {"proxy", "none"}});
    return more;
  }
  [[nodiscard]] Client minter(const Texts &more = {}) const { return make_client(runtime.get(), "fleet_engine", with_key(more)); }
  [[nodiscard]] Client with_host_signer(const Texts &more = {}) const {
    Texts options{{"signer", "host"}, {"client_email", key_file["client_email"]}, {"key_id", key_file["private_key_id"]}};
    options.insert(options.end(), more.begin(), more.end());
    return make_client(runtime.get(), "fleet_engine", with_address(options));
  }
  [[nodiscard]] Client device(const Texts &more = {}) const {
    Texts options{{"api_base_url", emulator.url() + "/fleet-engine"},
                  {"backend_base_url", emulator.url() + "/fleet-engine-backend"},
                  {"ca_file", emulator.ca_file()},
                  {"proxy", "none"}};
    options.insert(options.end(), more.begin(), more.end());
    return make_client(runtime.get(), "fleet_engine_device", options);
  }
  [[nodiscard]] std::string url(const std::string &resource) const { return emulator.url() + kProject + resource; }

  Emulator emulator;
  json key_file;
  Clock clock;
  Runtime runtime;

 private:
  std::int64_t handles_before_ = 0;
};

/// What a request names: a claim set or "", and claims or null.
struct Named {
  std::string set;
  json claims = nullptr;
};

Outcome prepare(const Client &client, const Named &named, Request &request) {
  Texts texts;
  if (!named.set.empty()) texts.emplace_back("claim_set", named.set);
  if (!named.claims.is_null()) texts.emplace_back("claims", named.claims.dump());
  const Options options = make_options(texts);
  Outcome outcome;
  outcome.status = fleetauth_request_new(client.get(), options.get(), request.out(), outcome.error.out());
  return outcome;
}

template <class Ask>
Outcome asked(const Client &client, const Named &named, const std::string &url, Ask ask) {
  Request request;
  Outcome outcome = prepare(client, named, request);
  if (outcome.status != FLEETAUTH_OK) return outcome;
  outcome.status = ask(client.get(), request.get(), nullptr, 0, url.empty() ? nullptr : url.data(), url.size(), outcome.token.out(),
                       outcome.error.out());
  return outcome;
}

Outcome mint(const Client &client, const Named &named, const std::string &url = "") {
  return asked(client, named, url, fleetauth_client_token);
}
Outcome peek(const Client &client, const Named &named) { return asked(client, named, "", fleetauth_client_peek); }

Op begin(const Client &client, const Named &named, const Queue &queue, std::int64_t tag) {
  Request request;
  Op op;
  EXPECT_EQ(prepare(client, named, request).name(), "OK");
  EXPECT_EQ(fleetauth_client_start(client.get(), request.get(), nullptr, 0, nullptr, 0, queue.get(), tag, op.out(), nullptr), FLEETAUTH_OK);
  return op;
}

std::int64_t generation(const Outcome &outcome) { return fleetauth_token_generation(outcome.token.get()); }

std::int32_t reject(const Client &client, const Outcome &outcome, const std::string &date = "") {
  std::int32_t advice = 0;
  EXPECT_EQ(fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(outcome.token.get()), generation(outcome), 401,
                                             date.empty() ? nullptr : date.data(), date.size(), &advice, nullptr),
            FLEETAUTH_OK);
  return advice;
}

/// What becomes of making a client of these options.
Outcome made(const Runtime &runtime, const std::string &provider, const Texts &texts) {
  const Options options = make_options(texts);
  Provider builtin;
  Client client;
  Outcome outcome;
  EXPECT_EQ(fleetauth_provider_builtin(provider.data(), provider.size(), builtin.out(), nullptr), FLEETAUTH_OK);
  outcome.status = fleetauth_client_new(runtime.get(), builtin.get(), options.get(), client.out(), outcome.error.out());
  return outcome;
}

Event next_event(const Queue &queue, std::int64_t timeout_ms = 10'000) {
  Event event;
  EXPECT_EQ(fleetauth_queue_next(queue.get(), timeout_ms, event.out(), nullptr), FLEETAUTH_OK);
  return event;
}

SignCall take_sign_call(const Queue &queue) {
  const Event event = next_event(queue);
  SignCall call;
  EXPECT_EQ(fleetauth_event_kind(event.get()), FLEETAUTH_EVENT_SIGN_CALL);
  EXPECT_EQ(fleetauth_event_sign_call(event.get(), call.out(), nullptr), FLEETAUTH_OK);
  EXPECT_EQ(fleetauth_event_tag(event.get()), fleetauth_sign_call_id(call.get()));
  return call;
}

std::int32_t complete(const SignCall &call, const std::string &signature) {
  return fleetauth_sign_call_complete(call.get(), reinterpret_cast<const std::uint8_t *>(signature.data()), signature.size(), nullptr);
}

const Named kDriver{"driver", {{"vehicleid", "v1"}}};

// ---------------------------------------------------------------- the key is here

TEST_F(Minting, EveryClaimSetOpensWhatItIsFor) {
  const Client client = minter();
  struct Case {
    Named named;
    std::vector<std::string> opens;
    std::vector<std::string> refused;
  };
  const std::vector<Case> cases{
      {{"server", nullptr}, {"vehicles/v1", "trips/t1"}, {"tasks/k1"}},
      {{"driver", {{"vehicleid", "v1"}}}, {"vehicles/v1"}, {"vehicles/v2", "trips/t1"}},
      {{"consumer", {{"tripid", "t1"}}}, {"trips/t1"}, {"trips/t2", "vehicles/v1"}},
      {{"delivery_server", nullptr}, {"tasks/k1", "taskTrackingInfo/p1", "deliveryVehicles/d1"}, {"vehicles/v1"}},
      {{"untrusted_delivery_driver", {{"deliveryvehicleid", "d1"}}}, {"deliveryVehicles/d1"}, {"deliveryVehicles/d2", "tasks/k1"}},
      {{"trusted_delivery_driver", {{"deliveryvehicleid", "d1"}}}, {"deliveryVehicles/d1"}, {"tasks/k1"}},
      {{"trusted_delivery_driver", {{"deliveryvehicleid", "d1"}, {"taskid", "k1"}}}, {"deliveryVehicles/d1", "tasks/k1"}, {"tasks/k2"}},
      {{"delivery_consumer", {{"trackingid", "p1"}}}, {"taskTrackingInfo/p1"}, {"taskTrackingInfo/p2", "tasks/k1"}},
      {{"delivery_consumer", {{"taskid", "k1"}}}, {"tasks/k1"}, {"tasks/k2", "taskTrackingInfo/p1"}},
      {{"delivery_fleet_reader", nullptr}, {"tasks/k1", "taskTrackingInfo/p1", "deliveryVehicles/d1"}, {"trips/t1"}},
      {{"fleet_reader", nullptr}, {"vehicles/v1", "trips/t1", "tasks/k1", "taskTrackingInfo/p1", "deliveryVehicles/d1"}, {}},
      {{"", {{"vehicleid", "*"}, {"tripid", "t1"}}}, {"vehicles/v9", "trips/t1"}, {"trips/t2"}},
  };
  for (const Case &one : cases) {
    for (const std::string &resource : one.opens) {
      const Outcome outcome = mint(client, one.named, url(resource));
      ASSERT_EQ(outcome.name(), "OK") << one.named.set << ": " << outcome.message();
      EXPECT_EQ(emulator.get(url(resource), outcome.token.get()).status, 200) << one.named.set << ": " << resource;
    }
    for (const std::string &resource : one.refused) {
      const Outcome outcome = mint(client, one.named, url(resource));
      ASSERT_EQ(outcome.name(), "OK") << one.named.set << ": " << outcome.message();
      const HttpAnswer answer = emulator.get(url(resource), outcome.token.get());
      EXPECT_EQ(answer.status, 403) << one.named.set << ": " << resource;
      EXPECT_EQ(json::parse(answer.body)["error"]["status"], "PERMISSION_DENIED");
    }
  }
}

TEST_F(Minting, TasksAreCreatedWithTheirIdsOrAnyAtAll) {
  const Client client = minter();
  const json body{{"requests", {{{"taskId", "k1"}}, {{"taskId", "k2"}}}}};
  const auto create = [&](const json &ids) {
    const Outcome outcome = mint(client, {"", {{"taskids", ids}}}, url("tasks:batchCreate"));
    EXPECT_EQ(outcome.name(), "OK") << outcome.message();
    return emulator.post(url("tasks:batchCreate"), outcome.token.get(), body).status;
  };
  EXPECT_EQ(create({"k1", "k2"}), 200);
  EXPECT_EQ(create({"*"}), 200);
  EXPECT_EQ(create({"k1"}), 403);
}

TEST_F(Minting, IdsOfEveryScriptAreEscapedInTheToken) {
  const Client client = minter();
  const std::string id = "f\xc3\xbchrer \"\\\xf0\x9f\x9a\x9a";
  const Outcome outcome = mint(client, {"driver", {{"vehicleid", id}}}, url("vehicles/v1"));
  ASSERT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_EQ(emulator.get(url("vehicles/f%C3%BChrer%20%22%5C%F0%9F%9A%9A"), outcome.token.get()).status, 200);
  EXPECT_EQ(emulator.get(url("vehicles/v1"), outcome.token.get()).status, 403);
}

TEST_F(Minting, TheSameClaimsAreTheSameToken) {
  const Client client = minter();
  EXPECT_EQ(peek(client, kDriver).name(), "E_WOULD_BLOCK");
  const Outcome first = mint(client, kDriver);
  ASSERT_EQ(first.name(), "OK") << first.message();
  EXPECT_EQ(fleetauth_token_from_cache(first.token.get()), 0);
  const Outcome again = peek(client, kDriver);
  ASSERT_EQ(again.name(), "OK") << again.message();
  EXPECT_EQ(again.secret(), first.secret());
  EXPECT_EQ(generation(again), generation(first));
  EXPECT_EQ(fleetauth_token_from_cache(again.token.get()), 1);
  EXPECT_EQ(peek(client, {"", {{"vehicleid", "v1"}}}).secret(), first.secret()) << "named without their set";
  EXPECT_EQ(peek(client, {"driver", {{"vehicleid", "v2"}}}).name(), "E_WOULD_BLOCK");
}

TEST_F(Minting, TheClientsClaimSetIsForRequestsThatNameNone) {
  const Client client = minter({{"claim_set", "server"}});
  const Outcome outcome = get_token(client.get(), url("vehicles/v1"));
  ASSERT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_EQ(emulator.get(url("vehicles/v1"), outcome.token.get()).status, 200);
  EXPECT_EQ(peek(client, {"server", nullptr}).secret(), outcome.secret());
  const Outcome driver = mint(client, kDriver, url("trips/t1"));
  EXPECT_EQ(emulator.get(url("trips/t1"), driver.token.get()).status, 403) << "claims that are named stand alone";

  const Outcome none = get_token(minter().get());
  EXPECT_EQ(none.name(), "E_CONFIG");
  EXPECT_NE(none.message().find("\"claim_set\" and \"claims\""), std::string::npos) << none.message();
}

TEST_F(Minting, H08_ARefusedTokenIsMadeAnewOnce) {
  use_manual_clock("threaded");
  const Client client = minter();
  const Outcome first = mint(client, kDriver);
  ASSERT_EQ(first.name(), "OK") << first.message();
  pass(5);
  EXPECT_EQ(reject(client, first), FLEETAUTH_ADVICE_RETRY);
  EXPECT_EQ(reject(client, first), FLEETAUTH_ADVICE_RETRY) << "another caller's report of the same token";
  const Outcome second = mint(client, kDriver);
  ASSERT_EQ(second.name(), "OK") << second.message();
  EXPECT_NE(second.secret(), first.secret());
  EXPECT_EQ(reject(client, second), FLEETAUTH_ADVICE_STOP) << "a new one is refused as well";
}

TEST_F(Minting, T_5_AClockTenMinutesAheadCostsOneRefusedRequest) {
  use_manual_clock("manual");
  emulator.admin("POST", "/clock", {{"advance_s", -600}});
  const Client client = minter();
  const Outcome first = mint(client, kDriver, url("vehicles/v1"));
  const HttpAnswer refused = emulator.get(url("vehicles/v1"), first.token.get());
  ASSERT_EQ(refused.status, 401) << refused.body;
  EXPECT_EQ(reject(client, first, refused.date), FLEETAUTH_ADVICE_RETRY);

  const Outcome second = mint(client, kDriver, url("vehicles/v1"));
  EXPECT_EQ(emulator.get(url("vehicles/v1"), second.token.get()).status, 200);
  EXPECT_EQ(fleetauth_token_expires_in_ms(second.token.get()), 3'590'000);
  const Outcome other = mint(client, {"consumer", {{"tripid", "t1"}}}, url("trips/t1"));
  EXPECT_EQ(emulator.get(url("trips/t1"), other.token.get()).status, 200) << "the offset is remembered";
  EXPECT_EQ(reject(client, second, refused.date), FLEETAUTH_ADVICE_STOP) << "a new one is refused as well";
}

TEST_F(Minting, T_5_AClockTenMinutesBehindCostsOneRefusedRequest) {
  use_manual_clock("manual");
  emulator.admin("POST", "/clock", {{"advance_s", 600}});
  const Client client = minter();
  const Outcome first = mint(client, kDriver, url("vehicles/v1"));
  pass(2989);
  EXPECT_EQ(emulator.get(url("vehicles/v1"), first.token.get()).status, 200);
  pass(1);
  EXPECT_EQ(peek(client, kDriver).secret(), first.secret()) << "10 minutes are left by our clock";
  const HttpAnswer refused = emulator.get(url("vehicles/v1"), first.token.get());
  ASSERT_EQ(refused.status, 401) << refused.body;
  EXPECT_EQ(reject(client, first, refused.date), FLEETAUTH_ADVICE_RETRY);

  const Outcome second = mint(client, kDriver, url("vehicles/v1"));
  pass(3289);
  EXPECT_EQ(peek(client, kDriver).secret(), second.secret());
  EXPECT_EQ(emulator.get(url("vehicles/v1"), second.token.get()).status, 200) << "good as long as it is given out";
}

TEST_F(Minting, T_5_AClockThatIsSetRightIsNotCorrectedTwice) {
  use_manual_clock("manual");
  emulator.admin("POST", "/clock", {{"advance_s", -600}});
  const Client client = minter();
  const Outcome first = mint(client, kDriver, url("vehicles/v1"));
  reject(client, first, emulator.get(url("vehicles/v1"), first.token.get()).date);
  ASSERT_EQ(fleetauth_clock_step_wall(clock.get(), -600'000, nullptr), FLEETAUTH_OK);
  pass(60);
  const Outcome second = mint(client, kDriver, url("vehicles/v1"));
  EXPECT_EQ(emulator.get(url("vehicles/v1"), second.token.get()).status, 200);
  pass(3289);
  EXPECT_EQ(peek(client, kDriver).secret(), second.secret());
  EXPECT_EQ(emulator.get(url("vehicles/v1"), second.token.get()).status, 200);
}

TEST_F(Minting, T_5_ALateReportIsNotTheTimeOfNow) {
  use_manual_clock("manual");
  const Client client = minter();
  const Outcome first = mint(client, kDriver, url("vehicles/v1"));
  pass(5);
  EXPECT_EQ(reject(client, first), FLEETAUTH_ADVICE_RETRY);
  ASSERT_EQ(mint(client, kDriver, url("vehicles/v1")).name(), "OK");
  EXPECT_EQ(reject(client, first, "Fri, 02 Jan 2026 12:00:00 GMT"), FLEETAUTH_ADVICE_RETRY);
  const Outcome other = mint(client, {"consumer", {{"tripid", "t1"}}}, url("trips/t1"));
  EXPECT_EQ(emulator.get(url("trips/t1"), other.token.get()).status, 200);
}

TEST_F(Minting, T_5_AWrongClockOfOneProviderMisleadsNoOtherClient) {
  use_manual_clock("manual");
  const Client misled = minter();
  const Client other = minter({{"lifetime_s", "3599"}});
  const Outcome first = mint(misled, kDriver, url("vehicles/v1"));
  EXPECT_EQ(reject(misled, first, "Fri, 02 Jan 2026 12:00:00 GMT"), FLEETAUTH_ADVICE_RETRY);
  EXPECT_EQ(emulator.get(url("vehicles/v1"), mint(misled, kDriver, url("vehicles/v1")).token.get()).status, 401);
  EXPECT_EQ(emulator.get(url("vehicles/v1"), mint(other, kDriver, url("vehicles/v1")).token.get()).status, 200);
}

TEST_F(Minting, T20_ManyThreadsOneSignature) {
  for (const std::string mode : {"threaded", "manual"}) {
    runtime = make_runtime({{"mode", mode}});
    const Client client = minter();
    constexpr std::size_t kThreads = 64;
    std::latch gate(kThreads);
    std::vector<std::pair<std::string, std::int64_t>> results(kThreads);
    std::vector<std::thread> callers;
    for (auto &result : results) {
      callers.emplace_back([&] {
        gate.arrive_and_wait();
        const Outcome outcome = mint(client, kDriver);
        result = {outcome.secret(), generation(outcome)};
      });
    }
    for (std::thread &caller : callers) caller.join();
    EXPECT_FALSE(results.front().first.empty());
    for (const auto &result : results) EXPECT_EQ(result, results.front());
    const Outcome fresh = mint(client, {"driver", {{"vehicleid", "v2"}}});
    EXPECT_EQ(generation(fresh), results.front().second + 1) << "generations count the tokens that were made";
  }
}

TEST_F(Minting, TokensAreForgottenInTheOrderOfTheirUse) {
  const Client client = minter({{"max_tokens", "2"}});
  const auto driver = [](const std::string &id) { return Named{"driver", {{"vehicleid", id}}}; };
  const std::string first = mint(client, driver("v1")).secret();
  const std::string second = mint(client, driver("v2")).secret();
  EXPECT_EQ(mint(client, driver("v1")).secret(), first);
  const std::string third = mint(client, driver("v3")).secret();
  EXPECT_EQ(peek(client, driver("v1")).secret(), first);
  EXPECT_EQ(peek(client, driver("v3")).secret(), third);
  EXPECT_EQ(peek(client, driver("v2")).name(), "E_WOULD_BLOCK") << "the one that was not asked for longest";
  EXPECT_FALSE(second.empty());
}

TEST_F(Minting, ASynchronousCallSignsOnItsOwnThread) {
  const auto spent = [](clockid_t whose) {
    timespec now{};
    clock_gettime(whose, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  };
  const Client client = minter();
  ASSERT_EQ(mint(client, kDriver).name(), "OK") << "what is made once is made";
  const auto own = spent(CLOCK_THREAD_CPUTIME_ID);
  const auto all = spent(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < 50; ++i) {
    const Outcome outcome = mint(client, {"driver", {{"vehicleid", "v" + std::to_string(i)}}});
    ASSERT_EQ(outcome.name(), "OK") << outcome.message();
  }
  const auto here = spent(CLOCK_THREAD_CPUTIME_ID) - own;
  EXPECT_GT(here, (spent(CLOCK_PROCESS_CPUTIME_ID) - all) / 2) << "the work of signing, which outweighs all else, was done elsewhere";
}

TEST_F(Minting, ALoopsTokensAreSignedByTheThreadOfTheRuntime) {
  const auto before = threads();
  const Client client = minter();
  const Queue queue = make_queue(runtime.get());
  const Op op = begin(client, kDriver, queue, 7);
  std::int64_t tag = 0;
  const Outcome outcome = take_outcome(queue.get(), 10'000, &tag);
  ASSERT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_EQ(tag, 7);
  EXPECT_TRUE(has_new(before, threads("fleetauth-io")));
}

TEST_F(Minting, ARenewalIsSignedByTheThreadOfTheRuntime) {
  use_manual_clock("threaded");
  const auto before = threads();
  const Client client = minter();
  const Outcome first = mint(client, kDriver);
  ASSERT_EQ(first.name(), "OK") << first.message();
  pass(3100);
  const Outcome stale = mint(client, kDriver);
  EXPECT_EQ(stale.secret(), first.secret()) << "good for 5 minutes yet, and handed out at once";
  Outcome renewed = peek(client, kDriver);
  while (renewed.secret() == first.secret()) {
    std::this_thread::yield();
    renewed = peek(client, kDriver);
  }
  EXPECT_TRUE(has_new(before, threads("fleetauth-io")));
  EXPECT_EQ(generation(renewed), generation(first) + 1);
  EXPECT_EQ(emulator.get(url("vehicles/v1"), mint(client, kDriver, url("vehicles/v1")).token.get()).status, 200);
}

TEST_F(Minting, NoTokenWithLessThanFiveMinutesIsGivenOut) {
  use_manual_clock("manual");
  const Client client = minter();
  const Outcome first = mint(client, kDriver);
  ASSERT_EQ(first.name(), "OK") << first.message();
  EXPECT_EQ(fleetauth_token_expires_in_ms(first.token.get()), 3'590'000) << "an hour from its time of issue, which lies 10 s back";
  pass(3289);
  EXPECT_EQ(peek(client, kDriver).secret(), first.secret());
  pass(1);
  EXPECT_EQ(peek(client, kDriver).name(), "E_WOULD_BLOCK");
  const Outcome second = mint(client, kDriver, url("vehicles/v1"));
  ASSERT_EQ(second.name(), "OK") << second.message();
  EXPECT_NE(second.secret(), first.secret());
  EXPECT_EQ(emulator.get(url("vehicles/v1"), second.token.get()).status, 200);
}

TEST_F(Minting, TokensOfAMinuteAreMadeForEachCallAtOnce) {
  use_manual_clock("manual");
  const Client client = minter({{"lifetime_s", "60"}});
  const Queue queue = make_queue(runtime.get());
  for (int round = 0; round < 3; ++round) {
    const Op op = begin(client, kDriver, queue, 1);
    Outcome outcome = take_outcome(queue.get(), 0);
    for (int turn = 0; turn < 10 && outcome.status == FLEETAUTH_E_WOULD_BLOCK; ++turn) outcome = take_outcome(queue.get(), 0);
    ASSERT_EQ(outcome.name(), "OK") << "no time has to pass before the next";
    EXPECT_EQ(fleetauth_token_expires_in_ms(outcome.token.get()), 50'000);
    EXPECT_EQ(peek(client, kDriver).name(), "E_WOULD_BLOCK") << "less than 5 minutes are left";
  }
}

TEST_F(Minting, WithoutAThreadOfTheRuntimeQueuesSignWhenTheyAreAsked) {
  runtime = make_runtime({{"mode", "manual"}});
  const auto before = threads();
  const Client client = minter();
  EXPECT_EQ(mint(client, {"server", nullptr}).name(), "OK");
  const Queue queue = make_queue(runtime.get());
  const Op op = begin(client, kDriver, queue, 1);
  EXPECT_EQ(peek(client, kDriver).name(), "E_WOULD_BLOCK") << "starting has signed nothing";
  EXPECT_EQ(take_outcome(queue.get()).name(), "OK");
  EXPECT_EQ(peek(client, kDriver).name(), "OK");
  EXPECT_FALSE(has_new(before, threads()));
}

TEST_F(Minting, P01_AForkInMidUse) {
  for (const std::string mode : {"threaded", "manual"}) {
    runtime = make_runtime({{"mode", mode}});
    const Client client = minter();
    const Outcome before = mint(client, kDriver);
    ASSERT_EQ(before.name(), "OK") << before.message();
    const std::string address = url("vehicles/v2");
    const Named other{"driver", {{"vehicleid", "v2"}}};
    const pid_t child = process::in_child([&] {
      if (peek(client, kDriver).secret() != before.secret()) return 1;
      const Outcome made = mint(client, other, address);
      if (made.status != FLEETAUTH_OK) return 2;
      if (emulator.get(address, made.token.get()).status != 200) return 3;
      const Queue queue = make_queue(runtime.get());
      const Op op = begin(client, {"driver", {{"vehicleid", "v3"}}}, queue, 1);
      return take_outcome(queue.get()).status == FLEETAUTH_OK ? 0 : 4;
    });
    EXPECT_EQ(process::wait_for(child).status, 0);
    EXPECT_EQ(mint(client, kDriver).secret(), before.secret());
    EXPECT_EQ(mint(client, other).name(), "OK");
  }
}

TEST_F(Minting, P01_WhatWasNotSignedYetFailsInTheChildOnly) {
  runtime = make_runtime({{"mode", "manual"}});
  const Client client = minter();
  const Queue queue = make_queue(runtime.get());
  const Op op = begin(client, kDriver, queue, 1);
  const pid_t child = process::in_child([&] {
    if (take_outcome(queue.get()).status != FLEETAUTH_E_FORKED) return 1;
    return mint(client, kDriver).status == FLEETAUTH_OK ? 0 : 2;
  });
  EXPECT_EQ(process::wait_for(child).status, 0);
  EXPECT_EQ(take_outcome(queue.get()).name(), "OK");
}

// ---------------------------------------------------------------- the key is the host's

class Signing : public Minting {
 protected:
  void SetUp() override {
    Minting::SetUp();
    key = std::make_unique<HostKey>(key_file["private_key"]);
  }
  [[nodiscard]] std::string signature(const SignCall &call) const { return key->sign(text_of(fleetauth_sign_call_data, call.get())); }

  std::unique_ptr<HostKey> key;
};

TEST_F(Signing, TheHostsSignatureMakesAToken) {
  for (const std::string mode : {"threaded", "manual"}) {
    runtime = make_runtime({{"mode", mode}});
    const Client client = with_host_signer();
    const Queue queue = make_queue(runtime.get());
    const Op op = begin(client, kDriver, queue, 1);
    {
      const SignCall call = take_sign_call(queue);
      EXPECT_EQ(text_of(fleetauth_sign_call_algorithm, call.get()), "RS256");
      EXPECT_EQ(text_of(fleetauth_sign_call_key_id, call.get()), key_file["private_key_id"]);
      EXPECT_GT(fleetauth_sign_call_timeout_ms(call.get()), 0);
      EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK);
      EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_E_CLOSED) << "answered exactly once";
    }
    const Outcome outcome = take_outcome(queue.get());
    ASSERT_EQ(outcome.name(), "OK") << outcome.message();
    const Outcome cached = mint(client, kDriver, url("vehicles/v1"));
    ASSERT_EQ(cached.secret(), outcome.secret()) << "from memory a host signer need not be asked";
    EXPECT_EQ(emulator.get(url("vehicles/v1"), cached.token.get()).status, 200);
  }
}

TEST_F(Signing, WithoutTheKeysIdTheTokenNamesNone) {
  const Client client =
      make_client(runtime.get(), "fleet_engine", with_address({{"signer", "host"}, {"client_email", key_file["client_email"]}}));
  const Queue queue = make_queue(runtime.get());
  const Op op = begin(client, kDriver, queue, 1);
  const SignCall call = take_sign_call(queue);
  EXPECT_EQ(text_of(fleetauth_sign_call_key_id, call.get()), "");
  EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK);
  ASSERT_EQ(take_outcome(queue.get()).name(), "OK");
  EXPECT_EQ(emulator.get(url("vehicles/v1"), mint(client, kDriver, url("vehicles/v1")).token.get()).status, 200);
}

TEST_F(Signing, WhoeverJoinsWaitsForOneSignature) {
  const Client client = with_host_signer();
  const Queue queue = make_queue(runtime.get());
  std::vector<Op> ops;
  for (int tag = 1; tag <= 8; ++tag) ops.push_back(begin(client, kDriver, queue, tag));
  const SignCall call = take_sign_call(queue);
  EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK);
  for (int tag = 1; tag <= 8; ++tag) EXPECT_EQ(take_outcome(queue.get()).name(), "OK");
  EXPECT_EQ(take_outcome(queue.get(), 0).name(), "E_WOULD_BLOCK");
}

TEST_F(Signing, ASynchronousCallIsToldToUseAQueue) {
  const Client client = with_host_signer();
  const Outcome outcome = mint(client, kDriver);
  EXPECT_EQ(outcome.name(), "E_UNSUPPORTED");
  EXPECT_NE(outcome.message().find("SIGN_CALL"), std::string::npos) << outcome.message();
}

TEST_F(Signing, AKeyOfOursNeedsNoQueueWhoeverSendsTheRequests) {
  const Client client = minter({{"transport", "host"}});
  EXPECT_EQ(mint(client, kDriver).name(), "OK");
}

TEST_F(Signing, WhatTheHostRaisedComesBack) {
  const Client client = with_host_signer();
  const Queue queue = make_queue(runtime.get());
  const Op op = begin(client, kDriver, queue, 1);
  {
    const SignCall call = take_sign_call(queue);
    const std::string message = "HsmError";
    EXPECT_EQ(fleetauth_sign_call_fail(call.get(), FLEETAUTH_E_CALLBACK, message.data(), message.size(), 77, nullptr), FLEETAUTH_OK);
    EXPECT_EQ(fleetauth_sign_call_fail(call.get(), FLEETAUTH_E_CALLBACK, nullptr, 0, 78, nullptr), FLEETAUTH_E_CLOSED);
  }
  {
    const Outcome failed = take_outcome(queue.get());
    EXPECT_EQ(failed.name(), "E_CALLBACK");
    EXPECT_EQ(fleetauth_error_user_error(failed.error.get()), 77);
    EXPECT_NE(failed.message().find("the host's signer failed (HsmError)"), std::string::npos) << failed.message();
  }
  for (const std::int64_t id : {78, 77}) {
    const Event released = next_event(queue);
    EXPECT_EQ(fleetauth_event_kind(released.get()), FLEETAUTH_EVENT_RELEASE);
    EXPECT_EQ(fleetauth_event_tag(released.get()), id);
  }

  const Op again = begin(client, kDriver, queue, 2);
  const SignCall call = take_sign_call(queue);
  EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK) << "the next caller asks anew";
  EXPECT_EQ(take_outcome(queue.get()).name(), "OK");
}

TEST_F(Signing, ASignatureThatCannotBeOneIsRefused) {
  const Client client = with_host_signer();
  for (const std::string &signature : {std::string(), std::string(2049, 's')}) {
    const Queue queue = make_queue(runtime.get());
    const Op op = begin(client, {"driver", {{"vehicleid", "of " + std::to_string(signature.size())}}}, queue, 1);
    EXPECT_EQ(complete(take_sign_call(queue), signature), FLEETAUTH_OK);
    const Outcome failed = take_outcome(queue.get());
    EXPECT_EQ(failed.name(), "E_CRYPTO") << failed.message();
  }
}

TEST_F(Signing, ACallThatIsReleasedHasFailed) {
  const Client client = with_host_signer();
  const Queue queue = make_queue(runtime.get());
  const Op op = begin(client, kDriver, queue, 1);
  (void)take_sign_call(queue);
  EXPECT_EQ(take_outcome(queue.get()).name(), "E_CALLBACK");
}

TEST_F(Signing, ACallThatTakesTooLongIsCancelledAndMadeAgain) {
  use_manual_clock("manual");
  const Client client = with_host_signer({{"attempt_timeout_ms", "5000"}});
  const Queue queue = make_queue(runtime.get());
  const Op op = begin(client, kDriver, queue, 1);
  const SignCall late = take_sign_call(queue);
  EXPECT_EQ(fleetauth_sign_call_timeout_ms(late.get()), 5000);
  pass(5);
  {
    const Event cancelled = next_event(queue);
    EXPECT_EQ(fleetauth_event_kind(cancelled.get()), FLEETAUTH_EVENT_SIGN_CANCEL);
    EXPECT_EQ(fleetauth_event_tag(cancelled.get()), fleetauth_sign_call_id(late.get()));
  }
  EXPECT_EQ(complete(late, signature(late)), FLEETAUTH_E_CLOSED);
  pass(5);
  const SignCall call = take_sign_call(queue);
  EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK);
  EXPECT_EQ(take_outcome(queue.get()).name(), "OK");
}

TEST_F(Signing, ACallGoesToAnotherQueueWhenOneLetsItGo) {
  const Client client = with_host_signer();
  const Queue one = make_queue(runtime.get());
  const Queue other = make_queue(runtime.get());
  const Op first = begin(client, kDriver, one, 1);
  const Op second = begin(client, kDriver, other, 2);
  EXPECT_EQ(fleetauth_event_kind(next_event(one).get()), FLEETAUTH_EVENT_SIGN_CALL);  // and lets it go
  const SignCall call = take_sign_call(other);
  EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK);
  EXPECT_EQ(take_outcome(one.get()).name(), "OK");
  EXPECT_EQ(take_outcome(other.get()).name(), "OK");
}

TEST_F(Signing, ACallThatNobodyTakesHasFailed) {
  const Client client = with_host_signer();
  const Queue queue = make_queue(runtime.get());
  const Op op = begin(client, kDriver, queue, 1);
  EXPECT_EQ(fleetauth_event_kind(next_event(queue).get()), FLEETAUTH_EVENT_SIGN_CALL);
  EXPECT_EQ(take_outcome(queue.get()).name(), "E_CALLBACK");
}

TEST_F(Signing, WhatItTakesToSignIsPartOfTheTokensLife) {
  use_manual_clock("manual");
  const Client client = with_host_signer();
  const Queue queue = make_queue(runtime.get());
  const Op op = begin(client, kDriver, queue, 1);
  const SignCall call = take_sign_call(queue);
  pass(3);
  EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK);
  EXPECT_EQ(fleetauth_token_expires_in_ms(take_outcome(queue.get()).token.get()), 3'587'000);
}

TEST_F(Signing, T_5_ATokenIsSignedAgainWhenTheClockIsSetMeanwhile) {
  use_manual_clock("manual");
  emulator.admin("POST", "/clock", {{"advance_s", 7200}});
  const Client client = with_host_signer();
  const Queue queue = make_queue(runtime.get());
  const Op op = begin(client, kDriver, queue, 1);
  {
    const SignCall call = take_sign_call(queue);
    ASSERT_EQ(fleetauth_clock_step_wall(clock.get(), 7'200'000, nullptr), FLEETAUTH_OK);
    EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK);
  }
  {
    const SignCall call = take_sign_call(queue);
    EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK);
  }
  ASSERT_EQ(take_outcome(queue.get()).name(), "OK");
  EXPECT_EQ(emulator.get(url("vehicles/v1"), mint(client, kDriver, url("vehicles/v1")).token.get()).status, 200);
}

TEST_F(Signing, ARenewalIsAskedOfTheQueueThatServes) {
  use_manual_clock("manual");
  const Client client = with_host_signer();
  const Queue queue = make_queue(runtime.get());
  ASSERT_EQ(fleetauth_queue_serve(queue.get(), client.get(), nullptr), FLEETAUTH_OK);
  const Op op = begin(client, kDriver, queue, 1);
  {
    const SignCall call = take_sign_call(queue);
    EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK);
  }
  const Outcome first = take_outcome(queue.get());
  ASSERT_EQ(first.name(), "OK") << first.message();
  pass(3100);
  EXPECT_EQ(peek(client, kDriver).secret(), first.secret());
  const SignCall call = take_sign_call(queue);
  EXPECT_EQ(complete(call, signature(call)), FLEETAUTH_OK);
  EXPECT_EQ(generation(peek(client, kDriver)), generation(first) + 1);
}

// ---------------------------------------------------------------- clients that cannot be made

TEST_F(Minting, WhatDoesNotGoTogetherIsRefused) {
  const std::string key = key_file.dump();
  const struct {
    Texts options;
    std::string said;
  } cases[] = {
      {{}, "give \"service_account\"; or \"service_account_file\""},
      {{{"signer", "host"}}, "give \"client_email\""},
      {{{"signer", "host"}, {"client_email", "a@b"}, {"service_account", key}}, "\"service_account\" is of no use with signer=host"},
      {{{"signer", "host"}, {"client_email", "a@b"}, {"service_account_file", "key.json"}},
       "\"service_account_file\" is of no use with signer=host"},
      {{{"service_account", key}, {"service_account_file", "key.json"}}, "exclude each other"},
      {{{"service_account", key}, {"client_email", "a@b"}}, "\"client_email\" is of no use beside a service account"},
      {{{"service_account", key}, {"key_id", "k"}}, "\"key_id\" is of no use beside a service account"},
      {{{"client_email", "a@b"}}, "\"client_email\" is for a client whose host signs"},
      {{{"service_account_file", "/nowhere/key.json"}}, "cannot read /nowhere/key.json: No such file"},
      {{{"service_account_file", "/"}}, "cannot read /: Is a directory"},
      {{{"service_account", key}, {"lifetime_s", "59"}}, "\"lifetime_s\" must be from 60 to 3600 seconds"},
      {{{"service_account", key}, {"lifetime_s", "3601"}}, "\"lifetime_s\" must be from 60 to 3600 seconds"},
      {{{"service_account", key}, {"claim_set", "servre"}}, "no claim set \"servre\" (did you mean \"server\"?)"},
      {{{"service_account", key}, {"claim_set", "driver"}}, "the claim set \"driver\" takes \"vehicleid\""},
  };
  for (const auto &[options, said] : cases) {
    const Outcome outcome = made(runtime, "fleet_engine", with_address(options));
    EXPECT_EQ(outcome.name(), "E_CONFIG") << said;
    EXPECT_NE(outcome.message().find(said), std::string::npos) << outcome.message();
    EXPECT_EQ(outcome.message().find("PRIVATE KEY"), std::string::npos);
    EXPECT_EQ(text_of(fleetauth_error_provider, outcome.error.get()), "fleet_engine");
  }
  for (const char *lifetime : {"60", "3600"}) {
    EXPECT_EQ(made(runtime, "fleet_engine", with_key({{"lifetime_s", lifetime}})).name(), "OK");
  }
}

TEST_F(Minting, T18_AFileThatIsNoKeyIsNamed) {
  const std::filesystem::path file = std::filesystem::path(emulator.ca_file()).parent_path() / "service-account.json";
  const auto refused = [&](const std::string &content) {
    std::ofstream(file) << content;
    const Outcome outcome = made(runtime, "fleet_engine", with_address({{"service_account_file", file}}));
    EXPECT_EQ(outcome.name(), "E_KEY") << outcome.message();
    EXPECT_NE(outcome.message().find(file.string()), std::string::npos) << outcome.message();
    return outcome.message();
  };
  EXPECT_NE(refused("").find("service-account.json"), std::string::npos);
  EXPECT_NE(refused("{}").find("\"type\""), std::string::npos);
  json person = key_file;
  person["type"] = "authorized_user";
  EXPECT_NE(refused(person.dump()).find("a person's login"), std::string::npos);
  json broken = key_file;
  broken["private_key"] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
  EXPECT_NE(refused(broken.dump()).find("private_key"), std::string::npos);

  std::ofstream(file) << key_file.dump();
  const Client client = make_client(runtime.get(), "fleet_engine", with_address({{"service_account_file", file}}));
  std::filesystem::remove(file);
  const Outcome outcome = mint(client, kDriver, url("vehicles/v1"));
  ASSERT_EQ(outcome.name(), "OK") << "read when the client was made";
  EXPECT_EQ(emulator.get(url("vehicles/v1"), outcome.token.get()).status, 200);
}

TEST_F(Minting, T18_ATokenOfAnotherKeyOpensNothing) {
  key_file["private_key"] = Emulator().admin("GET", "/fleet_engine/service_account")["private_key"];
  const Client client = minter();
  const Outcome outcome = mint(client, kDriver, url("vehicles/v1"));
  ASSERT_EQ(outcome.name(), "OK") << outcome.message();
  EXPECT_EQ(emulator.get(url("vehicles/v1"), outcome.token.get()).status, 401);
}

TEST_F(Minting, WhatARequestNamesIsCheckedWhenItIsMade) {
  const Client client = minter();
  const struct {
    Named named;
    std::string said;
  } cases[] = {
      {{"drvier", nullptr}, "no claim set \"drvier\" (did you mean \"driver\"?)"},
      {{"driver", nullptr}, "the claim set \"driver\" takes \"vehicleid\""},
      {{"driver", {{"vehicleid", "a/b"}}}, "\"vehicleid\" must hold none of the characters /:?,#"},
      {{"", {{"vehicle", "a"}}}, "no claim \"vehicle\""},
      {{"server", {{"vehicleid", "v1"}}}, "has its claims already"},
      {{"", {{"trackingid", "p1"}, {"taskid", "k1"}}}, "exclude each other"},
      {{"", json::object()}, "the claims are empty"},
  };
  for (const auto &[named, said] : cases) {
    const Outcome outcome = mint(client, named);
    EXPECT_EQ(outcome.name(), "E_CONFIG");
    EXPECT_NE(outcome.message().find(said), std::string::npos) << outcome.message();
    EXPECT_EQ(text_of(fleetauth_error_provider, outcome.error.get()), "fleet_engine");
  }
  const Client other = make_client(runtime.get(), "fleetup", fleetup_options(emulator));
  EXPECT_EQ(mint(other, {"server", nullptr}).name(), "E_UNSUPPORTED");
}

// ---------------------------------------------------------------- devices

TEST_F(Minting, ADevicesTokensComeFromTheBackend) {
  for (const std::string shape : {"by_path", "last_mile", "on_demand"}) {
    emulator.admin("POST", "/config", {{"fleet_engine", {{"backend_shape", shape}}}});
    runtime = make_runtime();
    const Client client = device();
    const struct {
      Named named;
      std::string opens;
      std::string refused;
    } cases[] = {
        {{"driver", {{"vehicleid", "v1"}}}, "vehicles/v1", "vehicles/v2"},
        {{"consumer", {{"tripid", "t1"}}}, "trips/t1", "trips/t2"},
        {{"delivery_driver", {{"deliveryvehicleid", "d1"}}}, "deliveryVehicles/d1", "deliveryVehicles/d2"},
        {{"delivery_consumer", {{"trackingid", "p1"}}}, "taskTrackingInfo/p1", "taskTrackingInfo/p2"},
        {{"", {{"vehicleid", "v\xc3\xa4 1"}}}, "vehicles/v%C3%A4%201", "vehicles/v1"},
    };
    for (const auto &[named, opens, refused] : cases) {
      const Outcome outcome = mint(client, named, url(opens));
      ASSERT_EQ(outcome.name(), "OK") << outcome.message();
      EXPECT_EQ(emulator.get(url(opens), outcome.token.get()).status, 200) << shape << ": " << opens;
      EXPECT_EQ(emulator.get(url(refused), outcome.token.get()).status, 403) << shape << ": " << refused;
      EXPECT_NEAR(static_cast<double>(fleetauth_token_expires_in_ms(outcome.token.get())), 3600e3, 5e3);
      EXPECT_EQ(mint(client, named).secret(), outcome.secret());
    }
  }
}

TEST_F(Minting, ADeviceNeverAsksForAll) {
  const Client client = device();
  for (const char *claim : {"vehicleid", "tripid", "trackingid", "deliveryvehicleid"}) {
    const Outcome outcome = mint(client, {"", {{claim, "*"}}});
    EXPECT_EQ(outcome.name(), "E_CONFIG");
    EXPECT_NE(outcome.message().find("must be one id"), std::string::npos) << outcome.message();
  }
  for (const std::string set : {"server", "fleet_reader", "delivery_fleet_reader"})
    EXPECT_EQ(mint(client, {set, nullptr}).name(), "E_CONFIG");
  EXPECT_EQ(get_token(client.get()).name(), "E_CONFIG");
  EXPECT_EQ(emulator.requests("backend token"), 0U);
}

TEST_F(Minting, ADeviceShowsTheBackendWhoItIs) {
  emulator.admin("POST", "/config", {{"fleet_engine", {{"backend_key", "backend-canary"}}}});
  const Outcome refused = mint(device(), kDriver);
  EXPECT_EQ(refused.name(), "E_INVALID_CREDENTIALS") << refused.message();
  const Outcome outcome = mint(device({{"authorization", "Bearer backend-canary"}}), kDriver);
  EXPECT_EQ(outcome.name(), "OK") << outcome.message();
}

TEST_F(Minting, ADevicesTokenOfLessThanFiveMinutesIsNotKept) {
  use_manual_clock("manual");
  emulator.admin("POST", "/config", {{"fleet_engine", {{"backend_lifetime_s", 299}}}});
  const Client client = device();
  const Outcome first = mint(client, kDriver, url("vehicles/v1"));
  ASSERT_EQ(first.name(), "OK") << "it is what the backend has";
  EXPECT_EQ(emulator.get(url("vehicles/v1"), first.token.get()).status, 200);
  EXPECT_EQ(peek(client, kDriver).name(), "E_WOULD_BLOCK");

  emulator.admin("POST", "/config", {{"fleet_engine", {{"backend_lifetime_s", 3600}}}});
  pass(1);
  const Outcome second = mint(client, kDriver);
  ASSERT_EQ(second.name(), "OK") << second.message();
  EXPECT_EQ(peek(client, kDriver).secret(), second.secret());
  pass(3299);
  EXPECT_EQ(peek(client, kDriver).secret(), second.secret());
  pass(1);
  EXPECT_EQ(peek(client, kDriver).name(), "E_WOULD_BLOCK") << "less than 5 minutes are left";
}

}  // namespace
}  // namespace capi
