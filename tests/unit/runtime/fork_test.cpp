#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/crypto/openssl_mutex.h"
#include "core/runtime/engine.h"
#include "core/token/slabs.h"
#include "tests/unit/runtime/scripted_host.h"

namespace fleetauth::runtime {
namespace {

using testing::ScriptedHost;

/// What `body` answers in a forked child; 99 when the child hung or crashed.
int in_child(const std::function<int()> &body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);  // a child that hangs dies
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

bool is_free(std::mutex &mutex) {
  bool taken = false;
  std::thread([&] {
    taken = mutex.try_lock();
    if (taken) mutex.unlock();
  }).join();
  return taken;
}

std::vector<std::string> free_at_fork;

// Registered before the library's handlers, this one runs after them.
const int registered = pthread_atfork(
    [] {
      free_at_fork.clear();
      if (is_free(shared_runtime_mutex())) free_at_fork.emplace_back("shared_runtime_mutex");
      if (is_free(first_use_mutex())) free_at_fork.emplace_back("first_use_mutex");
      if (is_free(token::slabs_mutex())) free_at_fork.emplace_back("slabs_mutex");
      if (is_free(crypto::openssl_mutex())) free_at_fork.emplace_back("openssl_mutex");
    },
    nullptr, nullptr);

class ForkTest : public ScriptedHost {
 protected:
  /// The token that the client has in the child, counted as 0 when it is the expected one.
  int has_token(std::string_view expected) const { return peek() == expected ? 0 : 1; }
};

TEST_F(ForkTest, P01_TheChildKeepsTheTokenAndGetsOthers) {
  fetch("tok-1", 3600);
  EXPECT_EQ(in_child([this] {
              if (has_token("tok-1") != 0) return 1;
              clock->advance(3'600'000);
              start(1);
              const auto request = call();
              if (request == nullptr) return 2;
              answer(request, 200, R"({"token":"tok-2","expires_in":3600})");
              return outcome().secret() == "tok-2" ? 0 : 3;
            }),
            0);
  EXPECT_EQ(peek(), "tok-1");
}

TEST_F(ForkTest, P01_WhatTheParentHadInFlightFailsInTheChildAlone) {
  start(7);
  const auto request = call();
  EXPECT_EQ(in_child([this] {
              auto next = queue->next(5000);
              if (next && next->kind == EventKind::HttpCancel) next = queue->next(5000);  // the parent's request is not ours
              return next && next->tag == 7 && next->error != nullptr && next->error->status == Status::Forked ? 0 : 1;
            }),
            0);
  answer(request, 200, R"({"token":"tok-1","expires_in":3600})");
  EXPECT_EQ(outcome().secret(), "tok-1");
}

TEST_F(ForkTest, P01_WordsChangeInTheChild) {
  const auto word = fetch("tok-1", 3600).answer->word;
  EXPECT_EQ(in_child([this, word] {
              const auto peeked = client->peek(nullptr, std::nullopt, std::nullopt);
              return peeked && peeked->word != word ? 0 : 1;
            }),
            0);
}

TEST_F(ForkTest, P01_AStaleTokenIsRenewedInTheChildToo) {
  fetch("tok-1", 3600);
  EXPECT_EQ(client->serve(*queue), nullptr);
  clock->advance(3'500'000);
  EXPECT_EQ(peek(), "tok-1");
  const auto request = call();  // the parent's renewal is on its way
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(in_child([this] {
              if (has_token("tok-1") != 0) return 1;
              auto next = queue->next(0);
              while (next && next->kind == EventKind::HttpCancel) next = queue->next(0);
              return next && next->kind == EventKind::HttpCall ? 0 : 2;
            }),
            0);
}

TEST_F(ForkTest, P03_FilesThatTheChildOpensOnOurOldNumbersStayItsOwn) {
  ASSERT_GE(queue->wakeup_fd(), 0);
  start(1);  // the driver and its descriptors are there
  EXPECT_EQ(in_child([this] {
              for (int fd = 3; fd < 256; ++fd) ::close(fd);
              std::vector<int> own;
              for (int i = 0; i < 20; ++i) own.push_back(::open("/dev/null", O_RDONLY));
              (void)queue->next(0);
              for (const int fd : own) {
                char link[64] = {};
                const std::string path = "/proc/self/fd/" + std::to_string(fd);
                if (::readlink(path.c_str(), link, sizeof link - 1) < 0 || std::string(link) != "/dev/null") return 1;
              }
              return 0;
            }),
            0);
}

TEST_F(ForkTest, P01_ALoopOfTheChildIsWoken) {
  const int descriptor = queue->wakeup_fd();
  fetch("tok-1", 3600);
  EXPECT_EQ(in_child([this, descriptor] {
              pollfd poll{descriptor, POLLIN, 0};
              if (::poll(&poll, 1, 0) != 0) return 1;
              start(1);  // answered from memory
              return ::poll(&poll, 1, 5000) == 1 ? 0 : 2;
            }),
            0);
}

TEST_F(ForkTest, P02_NoOtherThreadHoldsALockAtAFork) {
  ASSERT_EQ(registered, 0);
  free_at_fork = {"none was looked at"};
  EXPECT_EQ(in_child([] { return 0; }), 0);
  EXPECT_EQ(free_at_fork, std::vector<std::string>());
}

TEST_F(ForkTest, P02_AForkWhileOthersAskForTheSharedRuntimeDoesNotHang) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's allocator may be locked by another thread at the fork, and stays so in the child";
#endif
  std::atomic<bool> stop{false};
  std::vector<std::thread> askers;
  for (int i = 0; i < 2; ++i) {
    askers.emplace_back([&stop] {
      while (!stop) (void)Runtime::shared();
    });
  }
  int failed = 0;
  for (int i = 0; i < 50; ++i) failed += in_child([] { return Runtime::shared() ? 0 : 1; }) == 0 ? 0 : 1;
  stop = true;
  for (std::thread &asker : askers) asker.join();
  EXPECT_EQ(failed, 0);
}

}  // namespace
}  // namespace fleetauth::runtime
