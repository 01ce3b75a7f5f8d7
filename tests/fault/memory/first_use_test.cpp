// What can go wrong once in a process: the first use of the library, each time in a child that never used it. The parent never does.
#include <fleetauth/fleetauth.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "tests/capi/handles.h"
#include "tests/fault/memory/shortage.h"

namespace fleetauth::test {
namespace {

std::atomic<int> g_refused_handlers{0};  ///< so many further fork handlers are not registered

constexpr int kDied = -1;

/// What `body` answers in a child; kDied when it crashed or hung.
int in_child(const std::function<int()> &body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kDied;
}

int make_runtime(capi::Error &error) {
  capi::Runtime runtime;
  fleetauth_runtime **out = runtime.out();
  fleetauth_error **err = error.out();
  return inside([&] { return fleetauth_runtime_new(nullptr, nullptr, out, err); });
}

int make_runtime() {
  capi::Error error;
  return make_runtime(error);
}

TEST(FirstUse, M01_WithoutMemoryForForkHandlersThereIsNoRuntime) {
  for (int refused = 1; refused <= 2; ++refused) {  // the hidden memory's and the runtimes'
    EXPECT_EQ(in_child([&] {
                g_refused_handlers = refused;
                for (; refused > 0 && g_refused_handlers > 0;) {
                  if (const int status = make_runtime(); status != FLEETAUTH_E_NOMEM) return status;
                }
                return make_runtime() == FLEETAUTH_OK ? 0 : 1;
              }),
              0)
        << refused;
  }
}

TEST(FirstUse, L02_MemoryThatCannotBeHiddenIsAnError) {
  EXPECT_EQ(in_child([] {
              OPENSSL_free(OPENSSL_malloc(1));  // from here on OpenSSL keeps to the usual heap
              capi::Error error;
              if (make_runtime(error) != FLEETAUTH_E_CRYPTO) return 1;
              const std::string text = capi::text_of(fleetauth_error_message, error.get());
              return text.find("core files") != std::string::npos ? 0 : 2;
            }),
            0);
}

/// Neither crashes nor hangs. OpenSSL does not start twice: what failed in it stays an error.
void sweep_first_use(Whose whose, std::int64_t step) {
  if (std::getenv("FLEETAUTH_EVERY_ALLOCATION") != nullptr) step = 1;
  constexpr int kNotReached = 100;
  std::int64_t index = 0;
  for (int outcome = 0; outcome != kNotReached; index += step) {
    outcome = in_child([&] {
      std::int64_t asked = 0;
      int status = FLEETAUTH_OK;
      {
        const Shortage shortage(whose, index, index);
        status = make_runtime();
        asked = shortage.asked();
      }
      if (asked <= index) return status == FLEETAUTH_OK ? kNotReached : 1;
      if (status != FLEETAUTH_OK && status != FLEETAUTH_E_NOMEM && status != FLEETAUTH_E_CRYPTO) return 2;
      const int again = make_runtime();
      return again == FLEETAUTH_OK || (again == status && status != FLEETAUTH_E_NOMEM) ? 0 : 3;
    });
    EXPECT_TRUE(outcome == 0 || outcome == kNotReached) << "allocation " << index << ": " << outcome;
    ASSERT_LT(index, 100'000);
  }
  EXPECT_GT(index, 20);
}

TEST(FirstUse, M01_EachAllocationOfOursFails) { sweep_first_use(Whose::Ours, 101); }
TEST(FirstUse, M01_EachAllocationOfOpensslFails) { sweep_first_use(Whose::OpenSsls, 29); }

}  // namespace
}  // namespace fleetauth::test

// The linker puts this in place of what the library calls (--wrap).
extern "C" {
int __real_pthread_atfork(void (*prepare)(), void (*parent)(), void (*child)());

int __wrap_pthread_atfork(void (*prepare)(), void (*parent)(), void (*child)()) {
  if (fleetauth::test::g_refused_handlers > 0) {
    --fleetauth::test::g_refused_handlers;
    return ENOMEM;
  }
  return __real_pthread_atfork(prepare, parent, child);
}
}
