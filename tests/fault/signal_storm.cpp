#include "tests/fault/signal_storm.h"

#include <sys/time.h>

#include <atomic>

namespace fleetauth::test {
namespace {

std::atomic<int> g_count{0};

void every(suseconds_t microseconds) {
  const itimerval interval{{0, microseconds}, {0, microseconds}};
  setitimer(ITIMER_REAL, &interval, nullptr);
}

}  // namespace

SignalStorm::SignalStorm() {
  struct sigaction interrupt {};
  interrupt.sa_handler = [](int) { ++g_count; };
  g_count = 0;
  sigaction(SIGALRM, &interrupt, &before_);
  every(1000);
}

SignalStorm::~SignalStorm() {
  every(0);
  sigaction(SIGALRM, &before_, nullptr);
}

int SignalStorm::count() { return g_count; }

}  // namespace fleetauth::test
