// Threads that end while they wait, servers that hang, and signals.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "tests/capi/emulator.h"
#include "tests/fault/raw_server.h"
#include "tests/fault/signal_storm.h"
#include "tests/process/child.h"

namespace process {
namespace {

using capi::get_token;
using capi::Outcome;

/// The process's connections, by the kernel's names for them.
std::set<std::string> sockets() {
  std::set<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string name = std::filesystem::read_symlink(entry, gone).string();
    if (name.starts_with("socket:")) names.insert(name);
  }
  return names;
}

class Threads : public ::testing::TestWithParam<const char *> {
 protected:
  void SetUp() override {
    handles_before_ = fleetauth_live_handles();
    runtime = capi::make_runtime({{"mode", GetParam()}});
    client = capi::make_client(runtime.get(), "fleetup", capi::fleetup_options(emulator));
  }
  void TearDown() override {
    client = {};
    runtime = {};
    EXPECT_EQ(fleetauth_live_handles(), handles_before_);
  }

  capi::Emulator emulator;
  capi::Runtime runtime;
  capi::Client client;

 private:
  std::int64_t handles_before_ = 0;
};

TEST_P(Threads, P14_AThreadThatLeavesItsQueueBehindHarmsNobody) {
  emulator.fault({{"times", 1}, {"do", {{"hold", "leave"}}}});
  std::thread leaving([&] {
    const capi::Queue own = capi::make_queue(runtime.get());
    capi::start(client.get(), own.get(), 1);
    while (emulator.requests("token") == 0) capi::take_outcome(own.get(), 1);
  });
  leaving.join();
  std::thread waiting([&] { EXPECT_EQ(get_token(client.get()).name(), "OK"); });
  emulator.admin("POST", "/release", {{"gate", "leave"}});
  waiting.join();
  EXPECT_EQ(emulator.requests("token"), 1U) << "the fetch goes on for the others";
}

TEST_P(Threads, P14_AThreadIsCancelledWhileItWaits) {
  emulator.fault({{"times", 1}, {"do", {{"hold", "cancel"}}}});
  pthread_t waiting{};
  const auto wait = [](void *waiter) -> void * {
    get_token(static_cast<fleetauth_client *>(waiter));
    pthread_testcancel();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&waiting, nullptr, wait, client.get()), 0);
  emulator.await_requests(1);
  pthread_cancel(waiting);
  emulator.admin("POST", "/release", {{"gate", "cancel"}});
  void *result = nullptr;
  pthread_join(waiting, &result);
  EXPECT_EQ(result, PTHREAD_CANCELED);
  EXPECT_EQ(get_token(client.get()).name(), "OK");
}

TEST_P(Threads, P14_AThreadIsCancelledWhileItAsksForADescriptor) {
  const capi::Queue queue = capi::make_queue(runtime.get());
  capi::start(client.get(), queue.get(), 1);
  while (fleetauth_queue_next(queue.get(), 0, capi::Event().out(), nullptr) == FLEETAUTH_E_WOULD_BLOCK) emulator.requests("token");
  capi::start(client.get(), queue.get(), 2);  // answered from memory: an event waits
  pthread_t asking{};
  const auto ask = [](void *asked) -> void * {
    pthread_cancel(pthread_self());
    fleetauth_queue_wakeup_fd(static_cast<fleetauth_queue *>(asked));
    pthread_testcancel();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&asking, nullptr, ask, queue.get()), 0);
  void *result = nullptr;
  pthread_join(asking, &result);
  EXPECT_EQ(result, PTHREAD_CANCELED);
}

struct Thrown {};

// A responder in C++: what it threw goes to its own caller, and the call that it let go of has failed.
TEST_P(Threads, P09_AResponderThrows) {
  const capi::Client hosted =
      capi::make_client(runtime.get(), "fleetup", {{"api_key", "k"}, {"acct_id", "1"}, {"secret", "s"}, {"transport", "host"}});
  const capi::Queue queue = capi::make_queue(runtime.get());
  const auto respond = [&] {
    capi::Event event;
    ASSERT_EQ(fleetauth_queue_next(queue.get(), 10'000, event.out(), nullptr), FLEETAUTH_OK);
    capi::HttpCall call;
    ASSERT_EQ(fleetauth_event_http_call(event.get(), call.out(), nullptr), FLEETAUTH_OK);
    throw Thrown();
  };
  const capi::Op op = capi::start(hosted.get(), queue.get(), 1);
  EXPECT_THROW(respond(), Thrown);
  EXPECT_EQ(capi::take_outcome(queue.get()).name(), "E_CALLBACK");
}

// Also on the library's own thread, and where the function is called within set_wakeup.
TEST_P(Threads, P09_AWakeupThrows) {
  const capi::Queue queue = capi::make_queue(runtime.get());
  std::atomic<int> thrown{0};
  const auto wake = [](void *count) {
    ++*static_cast<std::atomic<int> *>(count);
    throw Thrown();
  };
  ASSERT_EQ(fleetauth_queue_set_wakeup(queue.get(), wake, &thrown), FLEETAUTH_OK);
  const capi::Op op = capi::start(client.get(), queue.get(), 1);
  EXPECT_EQ(capi::take_outcome(queue.get()).name(), "OK");
  EXPECT_EQ(thrown, 1);
  capi::start(client.get(), queue.get(), 2);
  EXPECT_EQ(fleetauth_queue_set_wakeup(queue.get(), wake, &thrown), FLEETAUTH_OK);
  EXPECT_EQ(capi::take_outcome(queue.get()).name(), "OK");
  EXPECT_EQ(thrown, 3);
}

TEST_P(Threads, ClosingTheRuntimeEndsItsConnections) {
  const std::set<std::string> before = sockets();
  ASSERT_EQ(get_token(client.get()).name(), "OK");
  EXPECT_NE(sockets(), before) << "a connection is kept for the next request";
  emulator.fault({{"times", 1}, {"do", {{"hold", "for ever"}}}});
  const capi::Client other = capi::make_client(runtime.get(), "fleetup", capi::fleetup_options(emulator, {{"user_agent", "other"}}));
  const capi::Queue queue = capi::make_queue(runtime.get());
  const capi::Op op = capi::start(other.get(), queue.get(), 1);
  while (emulator.requests("token") == 1) capi::take_outcome(queue.get(), 1);
  EXPECT_EQ(fleetauth_runtime_close(runtime.get(), 10'000, nullptr), FLEETAUTH_OK);
  EXPECT_EQ(sockets(), before);
}

TEST_P(Threads, CancelAndCloseDoNotWaitForAHungServer) {
  emulator.fault({{"times", "always"}, {"do", {{"hold", "for ever"}}}});
  const capi::Queue queue = capi::make_queue(runtime.get());
  const capi::Op op = capi::start(client.get(), queue.get(), 1);
  capi::start(client.get(), queue.get(), 2);
  while (emulator.requests("token") == 0) capi::take_outcome(queue.get(), 1);
  const auto before = std::chrono::steady_clock::now();
  fleetauth_op_cancel(op.get());
  EXPECT_EQ(capi::take_outcome(queue.get()).name(), "E_CANCELLED");
  fleetauth_client_close(client.get());
  EXPECT_EQ(capi::take_outcome(queue.get()).name(), "E_CLOSED");
  EXPECT_EQ(fleetauth_runtime_close(runtime.get(), 10'000, nullptr), FLEETAUTH_OK);
  EXPECT_LT(std::chrono::steady_clock::now() - before, kWithoutWaiting);
}

TEST_P(Threads, N26_WithTooFewDescriptorsItSaysSoAndRecovers) {
  ASSERT_EQ(get_token(client.get()).name(), "OK");  // the sanitizers' first look at each type needs a descriptor too
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  int refused = 0;
  for (rlim_t more = 0; more <= 12; ++more) {
    const capi::Runtime own = capi::make_runtime({{"mode", GetParam()}});
    const capi::Client starved = capi::make_client(own.get(), "fleetup", capi::fleetup_options(emulator));
    const int next = dup(0);
    close(next);
    const rlimit scarce{static_cast<rlim_t>(next) + more, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &scarce), 0);
    const Outcome outcome = get_token(starved.get());
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    if (outcome.name() != "OK") {
      ++refused;
      EXPECT_EQ(outcome.name(), "E_RESOURCE") << more << ": " << outcome.message();
      EXPECT_NE(outcome.message().find("ulimit -n"), std::string::npos) << outcome.message();
    }
    const Outcome later = get_token(starved.get());
    EXPECT_EQ(later.name(), "OK") << more << ": " << later.message();
  }
  EXPECT_GT(refused, 2);
  EXPECT_LT(refused, 13);
}

TEST_P(Threads, N25_SignalsThatInterruptEveryWaitHarmNobody) {
  const fleetauth::test::SignalStorm storm;
  for (int i = 0; i < 50; ++i) {
    if (i % 10 == 0) emulator.fault({{"times", 1}, {"do", {{"delay_ms", 30}}}});
    const Outcome outcome = get_token(client.get());
    ASSERT_EQ(outcome.name(), "OK") << outcome.message();
    std::int32_t advice = 0;
    fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(outcome.token.get()),
                                     fleetauth_token_generation(outcome.token.get()), 401, nullptr, 0, &advice, nullptr);
  }
}

TEST_P(Threads, N24_APeerThatClosesWhileWeWriteDoesNotEndTheProcess) {
  signal(SIGPIPE, SIG_DFL);
  const fleetauth::test::TestCa ca;
  const fleetauth::test::RawServer server([](fleetauth::test::RawConnection &connection) { connection.reset(); },
                                          fleetauth::test::RawTls{ca.issue(), 0, ""});
  capi::Clock clock;
  ASSERT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock.out(), nullptr), FLEETAUTH_OK);
  const capi::Runtime own = capi::make_runtime({{"mode", GetParam()}}, clock.get());
  // A body that the sockets' buffers do not hold: part of it, and TLS's goodbye, are written when the peer has gone.
  const std::string large = std::string(R"({"steps":{"token":{"class":"one_shot","method":"POST","body":{"json":{"filler":")") +
                            std::string(400'000, 'x') + "\"}}}}}";
  const capi::Client once = capi::make_client(own.get(), "fleetup",
                                              {{"api_key", "key"},
                                               {"acct_id", "1"},
                                               {"secret", "s"},
                                               {"base_url", server.origin()},
                                               {"ca_pem", ca.pem()},
                                               {"proxy", "none"},
                                               {"descriptor_patch", large}});
  constexpr int kTimes = 100;
  for (int i = 0; i < kTimes; ++i) {
    const Outcome outcome = get_token(once.get());
    ASSERT_EQ(outcome.name(), "E_NETWORK") << outcome.message();
    ASSERT_EQ(fleetauth_clock_advance(clock.get(), 75'000, nullptr), FLEETAUTH_OK);  // the breaker's longest pause
  }
  EXPECT_EQ(server.connections(), kTimes);
}

INSTANTIATE_TEST_SUITE_P(Modes, Threads, ::testing::Values("threaded", "manual"));

}  // namespace
}  // namespace process
