// Memory that runs out anywhere, through every flow of the C interface: a call then says so or succeeds, and nothing is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <new>
#include <set>
#include <sstream>
#include <utility>

#include "tests/fault/memory/scene.h"
#include "tests/fault/raw_server.h"

namespace fleetauth::test {
namespace {

/// The library prepares its OpenSSL before the tests make certificates with the same copy.
class LibraryFirst : public ::testing::Environment {
 public:
  void SetUp() override {
    capi::Runtime runtime;
    fleetauth_runtime **out = runtime.out();
    ASSERT_EQ(inside([&] { return fleetauth_runtime_new(nullptr, nullptr, out, nullptr); }),
              FLEETAUTH_OK);  // it counts as what comes later
  }
};
const auto *const kLibraryFirst = ::testing::AddGlobalTestEnvironment(new LibraryFirst);

/// What is done with a client. `before` with memory enough, `flow` without.
struct Flow {
  const char *name;
  Scene::Setting setting;
  void (*before)(Scene &);
  void (*flow)(Scene &);
  int afterwards = FLEETAUTH_OK;     ///< what a call for a token may come to
  int after_several = FLEETAUTH_OK;  ///< the same if several allocations in a row fail
  std::int64_t making_step = 1;      ///< where thousands of allocations make a client: so many apart, prime
};

std::ostream &operator<<(std::ostream &out, const Flow &flow) { return out << flow.name; }

constexpr std::int64_t kNearlyAnHour = 3400 * 1000;  // the tokens live an hour

void nothing(Scene &) {}
void a_token(Scene &scene) { scene.token(); }
void a_stale_token(Scene &scene) {
  scene.token();
  scene.advance(kNearlyAnHour);
}
void an_expired_token(Scene &scene) {
  scene.token();
  scene.advance(2 * kNearlyAnHour);
}
void a_challenge(Scene &scene) { scene.expect(scene.token() == FLEETAUTH_E_OTP_REQUIRED, "no challenge"); }

/// The token that was there is still served, whatever became of its renewal.
void renew(Scene &scene) {
  scene.token();
  scene.expect(scene.peek() != FLEETAUTH_E_WOULD_BLOCK, "the token in memory was lost");
  scene.pump();
  scene.expect(scene.peek() != FLEETAUTH_E_WOULD_BLOCK, "the token in memory was lost");
}

void log_in(Scene &scene) {
  scene.token();
  scene.peek();
}

void refused(Scene &scene) {
  scene.reject();
  scene.token();
}

const Texts kOrchestrator{{"email", "a@fleet.example"}, {"password", "p"}, {"transport", "host"}};
const Texts kPatched{
    {"email", "a@fleet.example"}, {"password", "p"}, {"transport", "host"}, {"descriptor_patch", R"({"title":"An\"other"})"}};
const Texts kOtp{{"email", "otp@fleet.example"}, {"password", "p"}, {"transport", "host"}};
const Texts kTotp{
    {"email", "otp@fleet.example"}, {"password", "p"}, {"totp_secret", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}, {"transport", "host"}};
const Texts kTrimble{{"api_key", "k"}, {"transport", "host"}};
const Texts kOauth2{{"refresh_token", "refresh-0"},
                    {"client_id", "i"},
                    {"client_secret", "s"},
                    {"auth_base_url", "https://as.example/oauth2"},
                    {"api_base_url", "https://api.example"},
                    {"revoke_path", "revoke"},
                    {"transport", "host"}};
const Texts kFleet{{"client_id", "i"}, {"client_secret", "s"}, {"transport", "host"}};

Texts service_account() {
  std::ostringstream pem;
  pem << std::ifstream(TEST_KEY_FILE).rdbuf();
  std::string json = R"({"type":"service_account","project_id":"p","private_key_id":"k","client_email":"a@b.example","private_key":")";
  for (const char c : pem.str()) json += c == '\n' ? std::string("\\n") : std::string(1, c);
  return {{"service_account", json + "\"}"}, {"claim_set", "server"}};
}

const std::vector<Flow> &flows() {
  static const std::vector<Flow> all{
      {"Login", {"fleet_orchestrator", kOrchestrator}, nothing, log_in},
      {"Refresh", {"fleet_orchestrator", kOrchestrator}, an_expired_token, log_in},
      {"Renewal", {"fleet_orchestrator", kOrchestrator}, a_stale_token, renew},
      {"Refused", {"fleet_orchestrator", kOrchestrator}, a_token, refused},
      {"RefreshTokenAlone", {"oauth2", kOauth2}, an_expired_token, log_in, FLEETAUTH_OK, FLEETAUTH_E_LOGIN_REQUIRED},
      {"Challenge", {"fleet_orchestrator", kOtp}, nothing, [](Scene &scene) { scene.token(); }},
      {"Answer", {"fleet_orchestrator", kOtp}, a_challenge, [](Scene &scene) { scene.answer("123456"); }},
      {"SealedChallenge",
       {"fleet_orchestrator", kOtp},
       a_challenge,
       [](Scene &scene) {
         scene.reseal();
         scene.answer("123456");
       }},
      {"Totp", {"fleet_orchestrator", kTotp}, nothing, log_in},
      {"Account",
       {"trimble_maps", kTrimble},
       nothing,
       [](Scene &scene) {
         capi::Request request;
         if (scene.request(request, {{"account", "A1"}}) == FLEETAUTH_OK)
           scene.token("https://fleets.trimblemaps.com/api/assets/v1/x", request.get());
       }},
      {"Accounts", {"trimble_maps", kTrimble}, nothing, [](Scene &scene) { scene.inquire(FLEETAUTH_INQUIRY_ACCOUNTS); }},
      {"Identity", {"fleet_orchestrator", kOrchestrator}, nothing, [](Scene &scene) { scene.inquire(FLEETAUTH_INQUIRY_IDENTITY); }},
      {"Logout", {"oauth2", kOauth2}, a_token, [](Scene &scene) { scene.log_out(); }, FLEETAUTH_E_LOGIN_REQUIRED},
      {"LogoutOfAClient", {"oauth2", Texts(kOauth2.begin() + 1, kOauth2.end())}, a_token, [](Scene &scene) { scene.log_out(); }},
      {"Minting", {"fleet_engine", service_account()}, nothing, log_in},
      {"HostSigner", {"fleet_engine", {{"signer", "host"}, {"client_email", "a@b.example"}, {"claim_set", "server"}}}, nothing, log_in},
      {"Basic",
       {"my_connected_fleet", kFleet},
       nothing,
       [](Scene &scene) { scene.peek("https://api.masternautconnect.com/connect-webservices/services/public/v1/customer/1"); }},
      {"Static", {"motive", {{"api_key", "k"}}}, nothing, [](Scene &scene) { scene.peek("https://api.gomotive.com/v1/users"); }},
      {"Patched", {"fleet_orchestrator", kPatched}, nothing, log_in, FLEETAUTH_OK, FLEETAUTH_OK, 17},
      {"Claims",
       {"fleet_engine", service_account()},
       nothing,
       [](Scene &scene) {
         capi::Request request;
         if (scene.request(request, {{"claim_set", "driver"}, {"claims", R"({"vehicleid":"v\u00e9"})"}}) == FLEETAUTH_OK)
           scene.token(nullptr, request.get());
       }},
      {"Headers", {"fleet_orchestrator", kOrchestrator}, a_token, [](Scene &scene) { scene.peek("https://api.moovex.ai/api/v1/%41?x=1"); }},
  };
  return all;
}

/// One run of a flow with the allocations number `first` to `last` failing.
struct Run {
  std::int64_t asked = 0;  ///< how many allocations were asked for
  std::vector<std::string> faults;
};

Run run(const Flow &flow, Whose whose, std::int64_t first, std::int64_t last) {
  const std::int64_t blocks = live_blocks();
  const std::int64_t handles = fleetauth_live_handles();
  Run result;
  {
    Provider provider;
    Scene scene(provider, flow.setting);
    scene.hopeless = last == Shortage::kEnd && first != last;
    scene.make();
    flow.before(scene);
    {
      const Shortage shortage(whose, first, last);
      flow.flow(scene);
      result.asked = shortage.asked();
    }
    scene.recover(first != last && flow.afterwards == FLEETAUTH_OK ? flow.after_several : flow.afterwards);
    // An answer is looked at twice, not more often.
    if (first == last) scene.expect(provider.spent_refresh_tokens() == 0, "a refresh token was lost");
    scene.close();
    result.faults = std::move(scene.faults);
  }
  if (live_blocks() != blocks) result.faults.push_back(std::to_string(live_blocks() - blocks) + " blocks leak");
  if (fleetauth_live_handles() != handles) result.faults.emplace_back("handles leak");
  return result;
}

/// So many allocations apart are those that fail; with FLEETAUTH_EVERY_ALLOCATION in the environment all do, in turn.
std::int64_t apart(std::int64_t step) { return std::getenv("FLEETAUTH_EVERY_ALLOCATION") == nullptr ? step : 1; }

/// Runs the flow with so many allocations failing from each `step`th index on, up to the first that is not reached.
void sweep(const Flow &flow, Whose whose, std::int64_t count, std::int64_t step = 1) {
  const std::int64_t asked = run(flow, whose, Shortage::kEnd, Shortage::kEnd).asked;
  EXPECT_GT(asked, 0) << "nothing was asked for";
  std::int64_t index = 0;
  for (bool reached = true; reached; index += step) {
    const std::int64_t last = count == Shortage::kEnd ? count : index + count - 1;
    const Run result = run(flow, whose, index, last);
    for (const std::string &fault : result.faults) ADD_FAILURE() << "from allocation " << index << ": " << fault;
    reached = result.asked > index;
  }
  // Threads that wait for each other ask for a little more or less.
  EXPECT_GT(index, flow.setting.threaded ? asked / 2 : asked) << "some allocations were left out";
}

/// The same flow, with the library's thread at work.
Flow threaded(Flow flow) {
  flow.setting.threaded = true;
  flow.setting.wait_ms = 5;
  flow.setting.step_ms = 50;
  flow.setting.patience = 700;
  return flow;
}

class Memory : public ::testing::TestWithParam<Flow> {
 protected:
  /// What lasts is made before anything is counted.
  void SetUp() override {
    Provider provider;
    Scene scene(provider, GetParam().setting);
    scene.make();
    GetParam().before(scene);
    GetParam().flow(scene);
  }
};

TEST_P(Memory, M01_EachAllocationFails) { sweep(GetParam(), Whose::Ours, 1); }
TEST_P(Memory, M02_TwoAllocationsInARowFail) { sweep(GetParam(), Whose::Ours, 2); }
TEST_P(Memory, M02_EveryFurtherAllocationFails) { sweep(GetParam(), Whose::Ours, Shortage::kEnd); }
TEST_P(Memory, M01_EachAllocationOfAnyThreadFails) { sweep(threaded(GetParam()), Whose::Ours, 1, apart(7)); }
TEST_P(Memory, M02_EveryFurtherAllocationOfAnyThreadFails) { sweep(threaded(GetParam()), Whose::Ours, Shortage::kEnd, apart(101)); }

/// The client of a provider is made while allocations fail, then again if that was in vain.
Run make(const Flow &flow, Whose whose, std::int64_t first, std::int64_t last) {
  const std::int64_t blocks = live_blocks();
  Run result;
  {
    Provider provider;
    Scene scene(provider, flow.setting);
    {
      const Shortage shortage(whose, first, last);
      scene.make();
      result.asked = shortage.asked();
    }
    if (scene.client.get() == nullptr) scene.make();
    scene.recover();
    result.faults = std::move(scene.faults);
  }
  if (live_blocks() != blocks) result.faults.push_back(std::to_string(live_blocks() - blocks) + " blocks leak");
  return result;
}

void sweep_making(const Flow &flow, Whose whose, bool all_further) {
  std::int64_t index = 0;
  for (bool reached = true; reached; index += flow.making_step) {
    const Run result = make(flow, whose, index, all_further ? Shortage::kEnd : index);
    for (const std::string &fault : result.faults) ADD_FAILURE() << "from allocation " << index << ": " << fault;
    reached = result.asked > index;
  }
  EXPECT_GT(index, 10);
}

TEST_P(Memory, M01_AClientIsMade) { sweep_making(GetParam(), Whose::Ours, false); }
TEST_P(Memory, M02_AClientIsMade) { sweep_making(GetParam(), Whose::Ours, true); }

INSTANTIATE_TEST_SUITE_P(Flows, Memory, ::testing::ValuesIn(flows()), [](const auto &one) { return std::string(one.param.name); });

// Only these ask OpenSSL for memory beside the network.
class MemoryOfOpenssl : public Memory {};
TEST_P(MemoryOfOpenssl, M01_EachAllocationOfOpensslFails) { sweep(GetParam(), Whose::OpenSsls, 1); }
TEST_P(MemoryOfOpenssl, M02_EveryFurtherAllocationOfOpensslFails) { sweep(GetParam(), Whose::OpenSsls, Shortage::kEnd); }

std::vector<Flow> flows_with_openssl() {
  std::vector<Flow> some;
  for (const Flow &flow : flows()) {
    if (std::set<std::string>{"SealedChallenge", "Totp", "Minting", "Claims"}.contains(flow.name)) some.push_back(flow);
  }
  return some;
}

INSTANTIATE_TEST_SUITE_P(Flows, MemoryOfOpenssl, ::testing::ValuesIn(flows_with_openssl()),
                         [](const auto &one) { return std::string(one.param.name); });

TEST(MemoryOfAKey, M01_AClientWithAKeyIsMade) {
  const Flow flow{"", {"fleet_engine", service_account()}, nothing, nothing};
  make(flow, Whose::OpenSsls, Shortage::kEnd, Shortage::kEnd);
  sweep_making(flow, Whose::OpenSsls, false);
}

// ---------------------------------------------------------------- descriptors

/// Reads a descriptor with the allocations from `first` to `last` failing; 0 when there were fewer.
std::int64_t read_descriptor(const std::string &text, std::int64_t first, std::int64_t last) {
  const std::int64_t blocks = live_blocks();
  std::int64_t asked = 0;
  int status = FLEETAUTH_OK;
  {
    capi::Provider provider;
    fleetauth_provider **out = provider.out();
    const Shortage shortage(Whose::Ours, first, last);
    status = inside([&] { return fleetauth_provider_from_json(text.data(), text.size(), "it", FLEETAUTH_NTS, out, nullptr); });
    asked = shortage.asked();
  }
  EXPECT_TRUE(status == FLEETAUTH_E_NOMEM || status == FLEETAUTH_OK) << "allocation " << first << ": " << status;
  EXPECT_EQ(live_blocks(), blocks) << "allocation " << first;
  return asked > first ? asked : 0;
}

TEST(MemoryOfDescriptors, M01_M02_ADescriptorIsRead) {
  capi::Provider builtin;
  ASSERT_EQ(fleetauth_provider_builtin("fleet_orchestrator", FLEETAUTH_NTS, builtin.out(), nullptr), FLEETAUTH_OK);
  const std::string text = capi::text_of(fleetauth_provider_description, builtin.get());
  read_descriptor(text, Shortage::kEnd, Shortage::kEnd);
  std::int64_t index = 0;
  while (read_descriptor(text, index, index) != 0) ++index;
  EXPECT_GT(index, 1000);
  for (index = 0; read_descriptor(text, index, Shortage::kEnd) != 0;) index += 7;
}

// ---------------------------------------------------------------- the clock

TEST(MemoryOfTheClock, M01_AClockThatCannotTellOfItsMoveStandsStill) {
  Provider provider;
  Scene scene(provider, {"fleet_orchestrator", kOrchestrator});
  scene.make();
  scene.token();
  int moved = FLEETAUTH_OK;
  {
    const Shortage shortage(Whose::Ours, 0, Shortage::kEnd);
    moved = inside([&] { return fleetauth_clock_advance(scene.clock.get(), 2 * kNearlyAnHour, nullptr); });
  }
  EXPECT_EQ(moved, FLEETAUTH_E_NOMEM);
  EXPECT_EQ(scene.peek(), FLEETAUTH_OK) << "the token has expired";
  EXPECT_THAT(scene.faults, ::testing::IsEmpty());
}

// ---------------------------------------------------------------- the network

RawServer::Script script(Provider &provider) {
  return [&provider](RawConnection &connection) {
    for (std::string request = connection.read_request(); !request.empty(); request = connection.read_request()) {
      const std::size_t target = request.find(' ') + 1;
      const auto answer = provider.answer(std::string_view(request).substr(target, request.find(' ', target) - target),
                                          std::string_view(request).substr(request.find("\r\n\r\n")));
      std::string text = json_answer(answer.json);
      text.replace(text.find("200"), 3, std::to_string(answer.status));
      if (!connection.send(text)) return;
    }
  };
}

/// A login and an inquiry over TLS, made anew for each index: the runtime keeps nothing that an earlier one left.
Run over_tls(const TestCa &ca, Whose whose, bool threaded, std::int64_t index) {
  const std::int64_t blocks = live_blocks();
  Run result;
  {
    Provider provider;
    const RawServer server(script(provider), RawTls{ca.issue(), 0, ""});
    const Texts options{{"email", "a@fleet.example"},  {"password", "p"}, {"base_url", server.origin()},
                        {"ca_pem", ca.pem()},          {"proxy", "none"}, {"attempt_timeout_ms", "60000"},
                        {"total_timeout_ms", "120000"}};
    Scene scene(provider, {"fleet_orchestrator", options, 5, 50, 2400, threaded});
    scene.make();
    {
      const Shortage shortage(whose, index, index);
      if (threaded) {
        scene.token_of_a_blocked_thread();
      } else {
        scene.token();
      }
      scene.inquire(FLEETAUTH_INQUIRY_IDENTITY);
      result.asked = shortage.asked();
    }
    scene.recover();
    scene.close();
    result.faults = std::move(scene.faults);
  }
  if (live_blocks() != blocks) result.faults.push_back(std::to_string(live_blocks() - blocks) + " blocks leak");
  return result;
}

void sweep_over_tls(Whose whose, bool threaded, std::int64_t step) {
  const TestCa ca;
  over_tls(ca, whose, threaded, Shortage::kEnd);
  std::int64_t index = 0;
  for (bool reached = true; reached; index += step) {
    const Run result = over_tls(ca, whose, threaded, index);
    for (const std::string &fault : result.faults) ADD_FAILURE() << "allocation " << index << ": " << fault;
    reached = result.asked > index;
  }
  EXPECT_GT(index, 50) << "too little was asked for";
}

TEST(MemoryOverTls, M03_AllocationsOfLibcurlFail) { sweep_over_tls(Whose::Curls, false, apart(3)); }
TEST(MemoryOverTls, M01_AllocationsOfOursFail) { sweep_over_tls(Whose::Ours, false, apart(7)); }
TEST(MemoryOverTls, M01_AllocationsOfOpensslFail) { sweep_over_tls(Whose::OpenSsls, false, apart(97)); }
TEST(MemoryOverTls, M03_AllocationsOfLibcurlFailOnTheThread) { sweep_over_tls(Whose::Curls, true, apart(7)); }
TEST(MemoryOverTls, M01_AllocationsOfOursFailOnAnyThread) { sweep_over_tls(Whose::Ours, true, apart(11)); }

// ---------------------------------------------------------------- the process

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/// All the memory that the process may still have.
class Ballast {
 public:
  Ballast() {
    getrlimit(RLIMIT_AS, &before_);
    const rlimit none{4096, before_.rlim_max};
    setrlimit(RLIMIT_AS, &none);
    for (std::size_t size = std::size_t{1} << 20; size >= 2048; size /= 2) take_all(size);
    for (std::size_t size = 2048; size >= sizeof(Block); size -= 8) take_all(size);  // free blocks are kept by their exact size
  }
  ~Ballast() {
    setrlimit(RLIMIT_AS, &before_);
    while (last_ != nullptr) std::free(std::exchange(last_, last_->next));
  }
  Ballast(const Ballast &) = delete;
  Ballast &operator=(const Ballast &) = delete;

 private:
  struct Block {
    Block *next;
  };
  void take_all(std::size_t size) {
    while (void *room = std::malloc(size)) last_ = new (room) Block{last_};
  }
  rlimit before_{};
  Block *last_ = nullptr;
};

TEST(MemoryOfTheProcess, M06_AProcessAtItsLimitIsToldSo) {
  Provider provider;
  Scene scene(provider, {"fleet_orchestrator", kOrchestrator});
  scene.make();
  scene.token();
  scene.advance(2 * kNearlyAnHour);
  fleetauth_options *options = nullptr;
  fleetauth_op *op = nullptr;
  fleetauth_error *error = nullptr;
  int made = 0;
  int started = 0;
  {
    const Ballast ballast;
    made = fleetauth_options_new(&options, &error);
    started = fleetauth_client_start(scene.client.get(), nullptr, nullptr, 0, nullptr, 0, scene.queue.get(), 99, &op, nullptr);
  }
  EXPECT_EQ(made, FLEETAUTH_E_NOMEM);
  EXPECT_EQ(started, FLEETAUTH_E_NOMEM);
  EXPECT_EQ(error, nullptr) << "there was none for the message";
  scene.recover();
  EXPECT_THAT(scene.faults, ::testing::IsEmpty());
}

#endif

}  // namespace
}  // namespace fleetauth::test
