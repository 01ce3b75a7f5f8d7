// Callers that give up, and programs that end, while the resolver hangs: how long they wait for it.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/fault/hung_resolver.h"
#include "tools/bench/measure.h"
#include "tools/bench/scene.h"

namespace bench {
namespace {

using fleetauth::test::HungResolver;

constexpr int kTimes = 100;
constexpr double kMostCancelNs = 10e6;
constexpr double kMostCloseNs = 250e6;

class HungFetch {
 public:
  explicit HungFetch(bool manual)
      : runtime_(make_runtime(manual)),
        queue_(make_queue(runtime_.get())),
        client_(make_client(runtime_.get(), {{"base_url", "https://hangs.test"}, {"proxy", "none"}})) {
    const int before = HungResolver::hanging();
    op_ = start(client_.get(), queue_.get(), 1);
    while (HungResolver::hanging() == before) {
      fleetauth_event *event = nullptr;
      if (fleetauth_queue_next(queue_.get(), 1, &event, nullptr) == FLEETAUTH_OK) broken();
    }
  }
  /// Until the caller knows.
  double cancel() {
    const double begin = wall_ns();
    fleetauth_op_cancel(op_.get());
    (void)next(queue_.get());
    return wall_ns() - begin;
  }
  /// Until the thread has left.
  double close() {
    const double begin = wall_ns();
    fleetauth_client_close(client_.get());
    must(fleetauth_runtime_close(runtime_.get(), 10'000, nullptr), nullptr, "close");
    return wall_ns() - begin;
  }

 private:
  [[noreturn]] static void broken() {
    std::fprintf(stderr, "bench: cancel: the lookup did not hang\n");
    std::exit(1);
  }

  Runtime runtime_;
  Queue queue_;
  Client client_;
  Op op_;
};

void measure(bool manual, const std::string &mode) {
  std::vector<double> cancelled;
  std::vector<double> closed;
  for (int i = 0; i < kTimes; ++i) {
    HungFetch fetch(manual);
    cancelled.push_back(fetch.cancel());
    closed.push_back(fetch.close());
  }
  print("C: cancel while the resolver hangs, " + mode + ", p99", kMostCancelNs, percentile(cancelled, 0.99));
  print("C: close client and runtime while the resolver hangs, " + mode + ", p99", kMostCloseNs, percentile(closed, 0.99));
}

}  // namespace

void bench_cancel() {
  const HungResolver resolver;
  measure(false, "threaded");
  measure(true, "manual");
  if (HungResolver::returned() != 0) std::fprintf(stderr, "bench: cancel: %d lookups were waited for\n", HungResolver::returned());
}

}  // namespace bench
