// What other threads do while one drives a manual runtime. The core is linked statically, so the epoll_wait below is the one it calls.

#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>

#include <functional>
#include <thread>
#include <utility>

#include "tests/unit/runtime/scripted_host.h"

namespace {

std::function<void()> before_next_wait;

}  // namespace

extern "C" __attribute__((visibility("default"))) int epoll_wait(int epoll, epoll_event *events, int capacity, int timeout) {
  using Wait = int (*)(int, epoll_event *, int, int);
  static const auto real = reinterpret_cast<Wait>(dlsym(RTLD_NEXT, "epoll_wait"));
  if (const auto act = std::exchange(before_next_wait, nullptr)) std::thread(act).join();
  return real(epoll, events, capacity, timeout);
}

namespace fleetauth::runtime {
namespace {

class PolledTest : public testing::ScriptedHost {
 protected:
  void SetUp() override {
    use(RuntimeSettings{true, 10'000});
    descriptor = queue->wakeup_fd();
    ASSERT_GE(descriptor, 0);
  }
  void TearDown() override { before_next_wait = nullptr; }

  [[nodiscard]] bool readable() const {
    pollfd poll{descriptor, POLLIN, 0};
    return ::poll(&poll, 1, 0) == 1;
  }

  /// Turns until the descriptor is at rest; the request of the operation that started is the host's.
  void settle() {
    start(1);
    ASSERT_NE(call(), nullptr);
    for (int turns = 0; readable() && turns < 10; ++turns) (void)event();
    ASSERT_FALSE(readable());
    runtime->engine().nudge();  // the next turn ends at once
  }

  int descriptor = -1;
};

TEST_F(PolledTest, ARequestThatComesInDuringATurnIsNotLeftLying) {
  settle();
  const auto sending = make_client({{"transport", "curl"}, {"base_url", "https://127.0.0.1:9"}, {"proxy", "none"}});
  bool started = false;
  before_next_wait = [&] { started = static_cast<bool>(sending->start(nullptr, std::nullopt, std::nullopt, *queue, 2)); };
  EXPECT_FALSE(event());
  ASSERT_TRUE(started);
  EXPECT_TRUE(readable()) << "the turn had taken its commands before, and the wake-up is used up";
}

TEST_F(PolledTest, ADeadlineThatComesDuringATurnIsNotLeftLying) {
  settle();
  before_next_wait = [this] { clock->advance(15'000); };
  EXPECT_FALSE(event());
  EXPECT_TRUE(readable());
  EXPECT_EQ(event()->kind, EventKind::HttpCancel);
}

}  // namespace
}  // namespace fleetauth::runtime
