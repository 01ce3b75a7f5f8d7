// Forks of a process whose clients are running.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/capi/emulator.h"
#include "tests/fault/raw_server.h"
#include "tests/process/child.h"

namespace process {
namespace {

using capi::Client;
using capi::get_token;
using capi::Outcome;
using capi::Queue;
using capi::Runtime;
using fleetauth::test::json_answer;
using fleetauth::test::RawConnection;
using fleetauth::test::RawServer;
using fleetauth::test::RawTls;
using fleetauth::test::TestCa;

void reject(const Client &client, const Outcome &outcome) {
  std::int32_t advice = 0;
  fleetauth_client_report_rejected(client.get(), fleetauth_token_slot(outcome.token.get()), fleetauth_token_generation(outcome.token.get()),
                                   401, nullptr, 0, &advice, nullptr);
}

class Fork : public ::testing::TestWithParam<const char *> {
 protected:
  void SetUp() override {
    runtime = capi::make_runtime({{"mode", GetParam()}});
    client = capi::make_client(runtime.get(), "fleetup", capi::fleetup_options(emulator));
  }

  capi::Emulator emulator;
  Runtime runtime;
  Client client;
};

TEST_P(Fork, P01_TheChildHasTheTokenAndGetsAnother) {
  const Outcome before = get_token(client.get());
  ASSERT_EQ(before.name(), "OK") << before.message();
  const std::string secret = before.secret();
  const pid_t child = in_child([&] {
    Outcome cached = get_token(client.get());
    if (cached.secret() != secret) return 1;
    if (fleetauth_token_from_cache(cached.token.get()) != 1) return 2;
    if (fleetauth_token_word(cached.token.get()) == fleetauth_token_word(before.token.get()) &&
        fleetauth_token_word(before.token.get()) != 0) {
      return 3;
    }
    reject(client, cached);
    const Outcome fresh = get_token(client.get());
    if (fresh.status != FLEETAUTH_OK) return 4;
    if (fresh.secret() == secret) return 5;
    return fleetauth_runtime_close(runtime.get(), 5000, nullptr) == FLEETAUTH_OK ? 0 : 6;
  });
  EXPECT_EQ(wait_for(child).status, 0);

  EXPECT_EQ(get_token(client.get()).secret(), secret) << "the parent is not affected";
  reject(client, before);
  const Outcome after = get_token(client.get());
  EXPECT_EQ(after.name(), "OK") << after.message();
  EXPECT_NE(after.secret(), secret);
  EXPECT_EQ(emulator.requests("token"), 3U);
}

TEST_P(Fork, P01_WhatWasInFlightFailsInTheChildOnly) {
  emulator.fault({{"times", 1}, {"do", {{"hold", "fork"}}}});
  const Queue queue = capi::make_queue(runtime.get());
  const capi::Op op = capi::start(client.get(), queue.get(), 1);
  // Without a thread of the library's somebody has to send the request.
  while (emulator.requests("token") == 0) capi::take_outcome(queue.get(), 1);
  const pid_t child = in_child([&] {
    if (capi::take_outcome(queue.get(), 5000).status != FLEETAUTH_E_FORKED) return 1;
    if (capi::take_outcome(queue.get(), 0).status != FLEETAUTH_E_WOULD_BLOCK) return 2;
    const capi::Op again = capi::start(client.get(), queue.get(), 2);
    if (capi::take_outcome(queue.get(), 10'000).status != FLEETAUTH_OK) return 3;
    return get_token(client.get()).status == FLEETAUTH_OK ? 0 : 4;
  });
  EXPECT_EQ(wait_for(child).status, 0);
  emulator.admin("POST", "/release", {{"gate", "fork"}});
  EXPECT_EQ(capi::take_outcome(queue.get()).name(), "OK") << "the parent's own request goes on";
  EXPECT_EQ(emulator.requests("token"), 2U);
}

TEST_P(Fork, P01_TheChildMayReleaseAQueueOnWhichTheParentWaits) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's allocator may be locked by another thread at the fork, and stays so in the child";
#endif
  Queue queue = capi::make_queue(runtime.get());
  std::atomic<bool> woken{false};
  std::thread waiter([&] {
    while (!woken) capi::take_outcome(queue.get(), 1'000);
  });
  for (int i = 0; i < 20; ++i) {
    const pid_t child = in_child([&] {
      queue = Queue();
      return get_token(client.get()).status == FLEETAUTH_OK ? 0 : 1;
    });
    EXPECT_EQ(wait_for(child).status, 0);
  }
  woken = true;
  waiter.join();
}

TEST_P(Fork, P01_TheParentsConnectionIsLeftAlone) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the sanitizer takes a thread of the child for the server's, which the child does not have";
#endif
  const TestCa ca;
  std::atomic<int> answered{0};
  const RawServer server(
      [&](RawConnection &connection) {
        while (!connection.read_request().empty()) connection.send(json_answer(R"({"token":"tok-)" + std::to_string(++answered) + R"("})"));
      },
      RawTls{ca.issue(), 0, ""});
  const Client own = capi::make_client(
      runtime.get(), "fleetup",
      {{"api_key", "key"}, {"acct_id", "1"}, {"secret", "s"}, {"base_url", server.origin()}, {"ca_pem", ca.pem()}, {"proxy", "none"}});
  const Outcome before = get_token(own.get());
  ASSERT_EQ(before.name(), "OK") << before.message();
  const pid_t child = in_child([&] {
    reject(own, before);
    if (get_token(own.get()).status != FLEETAUTH_OK) return 1;
    return fleetauth_runtime_close(runtime.get(), 5000, nullptr) == FLEETAUTH_OK ? 0 : 2;
  });
  EXPECT_EQ(wait_for(child).status, 0);
  EXPECT_EQ(server.connections(), 2) << "the child makes its own";
  reject(own, before);
  const Outcome after = get_token(own.get());
  EXPECT_EQ(after.name(), "OK") << after.message();
  EXPECT_EQ(server.connections(), 2) << "the parent's goes on";
  EXPECT_EQ(answered, 3);
}

TEST_P(Fork, P01_AGrandchildWorksToo) {
  ASSERT_EQ(get_token(client.get()).name(), "OK");
  const pid_t child = in_child([&] {
    reject(client, get_token(client.get()));
    if (get_token(client.get()).status != FLEETAUTH_OK) return 1;
    return wait_for(in_child([&] {
             reject(client, get_token(client.get()));
             return get_token(client.get()).status == FLEETAUTH_OK ? 0 : 1;
           }))
        .status;
  });
  EXPECT_EQ(wait_for(child).status, 0);
}

/// What takes locks of the library, or has it make things for the first time; 0, or which of it failed.
int use_everything(const Client &client, const char *mode) {
  const Outcome outcome = get_token(client.get());
  if (outcome.status != FLEETAUTH_OK) return 1;
  if (std::string(fleetauth_token_fingerprint(outcome.token.get(), nullptr)).empty()) return 2;
  reject(client, outcome);
  Runtime shared;
  if (fleetauth_runtime_shared(shared.out(), nullptr) != FLEETAUTH_OK) return 3;
  const Runtime own = capi::make_runtime({{"mode", mode}});
  const Client other =
      capi::make_client(own.get(), "fleetup", {{"api_key", "k"}, {"acct_id", "1"}, {"secret", "s"}, {"transport", "host"}});
  const Queue queue = capi::make_queue(own.get());
  const capi::Op op = capi::start(other.get(), queue.get(), 1);
  if (fleetauth_queue_next(queue.get(), 5000, capi::Event().out(), nullptr) != FLEETAUTH_OK) return 4;
  std::size_t len = 0;
  std::int64_t generation = 0;
  std::array<std::uint8_t, 1024> buffer{};
  const std::int32_t copied = fleetauth_slot_copy(client.get(), 0, buffer.data(), buffer.size(), &len, &generation);
  return copied == FLEETAUTH_OK || copied == FLEETAUTH_E_WOULD_BLOCK ? 0 : 5;
}

TEST_P(Fork, P02_ForksUnderLoad) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's allocator may be locked by another thread at the fork, and stays so in the child";
#endif
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!over) EXPECT_EQ(use_everything(client, GetParam()), 0);
    });
  }
  // A reader holds its lock so shortly that one which did anything else would not be met.
  threads.emplace_back([&] {
    std::size_t len = 0;
    std::int64_t generation = 0;
    std::array<std::uint8_t, 1024> buffer{};
    while (!over) fleetauth_slot_copy(client.get(), 0, buffer.data(), buffer.size(), &len, &generation);
  });
  for (int i = 0; i < times("FLEETAUTH_FORKS", 250); ++i) {
    const pid_t child = in_child([&] { return use_everything(client, GetParam()); });
    const int status = wait_for(child).status;
    EXPECT_EQ(status, 0) << "fork " << i;
    if (status != 0) break;
  }
  over = true;
  for (std::thread &thread : threads) thread.join();
}

TEST_P(Fork, P02_RandomNumbersDifferInEveryChild) {
  const Client login = capi::make_client(runtime.get(), "fleet_orchestrator",
                                         {{"email", "otp@fleet.example"},
                                          {"password", "demo-password"},
                                          {"base_url", emulator.url() + "/fo"},
                                          {"ca_file", emulator.ca_file()},
                                          {"proxy", "none"}});
  const Outcome asked = get_token(login.get());
  capi::Challenge challenge;
  ASSERT_EQ(fleetauth_error_challenge(asked.error.get(), challenge.out(), nullptr), FLEETAUTH_OK) << asked.message();
  // Random bytes are what makes one sealing of a challenge differ from another.
  const auto seal = [&] {
    const std::array<std::uint8_t, 32> key{};
    capi::Blob sealed;
    fleetauth_client_seal_challenge(login.get(), challenge.get(), key.data(), key.size(), sealed.out(), nullptr);
    std::size_t size = 0;
    const auto *bytes = reinterpret_cast<const char *>(fleetauth_blob_bytes(sealed.get(), &size));
    return std::string(bytes, size);
  };
  std::set<std::string> seen;
  const int forks = times("FLEETAUTH_FORKS", 500);
  for (int i = 0; i < forks; ++i) {
    std::array<int, 2> out{};
    ASSERT_EQ(pipe(out.data()), 0);
    const pid_t child = in_child([&] {
      const std::string sealed = seal();
      return write(out[1], sealed.data(), sealed.size()) == static_cast<ssize_t>(sealed.size()) ? 0 : 1;
    });
    EXPECT_EQ(wait_for(child).status, 0);
    close(out[1]);
    std::array<char, 4096> sealed;
    const ssize_t size = read(out[0], sealed.data(), sealed.size());
    close(out[0]);
    ASSERT_GT(size, 32);
    seen.emplace(sealed.data(), static_cast<std::size_t>(size));
  }
  seen.insert(seal());
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(forks) + 1);
}

// Or all of a server's processes would ask at the same instant, when a provider comes back.
TEST_P(Fork, T20_ChildrenPauseForDifferentTimes) {
  const std::string nobody = "https://127.0.0.1:" + std::to_string(fleetauth::test::closed_port());
  const Client own = capi::make_client(runtime.get(), "fleetup", capi::fleetup_options(emulator, {{"base_url", nobody}}));
  std::array<int, 2> out{};
  ASSERT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
  constexpr int kChildren = 12;
  std::vector<pid_t> children;
  for (int i = 0; i < kChildren; ++i) {
    children.push_back(in_child([&] {
      Outcome outcome = get_token(own.get());
      while (outcome.status == FLEETAUTH_E_CONNECT) outcome = get_token(own.get());
      if (outcome.status != FLEETAUTH_E_UNAVAILABLE) return 1;
      const std::int64_t pause = fleetauth_error_retry_after_ms(outcome.error.get());
      return write(out[1], &pause, sizeof pause) == sizeof pause ? 0 : 2;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(wait_for(child).status, 0);
  std::array<std::int64_t, kChildren> pauses{};
  ASSERT_EQ(read(out[0], pauses.data(), sizeof pauses), static_cast<ssize_t>(sizeof pauses));
  for (const int fd : out) close(fd);
  const auto [shortest, longest] = std::minmax_element(pauses.begin(), pauses.end());
  EXPECT_GT(*longest - *shortest, 100) << "of up to 1000 ms";
}

INSTANTIATE_TEST_SUITE_P(Modes, Fork, ::testing::Values("threaded", "manual"));

}  // namespace
}  // namespace process
