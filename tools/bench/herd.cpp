// 10,000 callers wait for one token, since the last has expired: how many requests are sent, and how long after the answer each caller is
// told.
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "tools/bench/measure.h"
#include "tools/bench/scene.h"

namespace bench {
namespace {

constexpr int kThreads = 8;
constexpr int kCallersPerThread = 1250;
constexpr std::int64_t kLifetimeMs = 3'600'000;
constexpr double kLimitNs = 50e6;

struct Herd {
  std::atomic<int> ready{0};
  std::atomic<int> requests{0};
  double answered_at = 0;
};

// Takes the outcomes of one thread's callers; whoever is offered the request answers it once all wait.
std::vector<double> wait_for_all(Herd &herd, fleetauth_queue *queue) {
  std::vector<double> woken;
  woken.reserve(kCallersPerThread);
  herd.ready.fetch_add(1);
  while (woken.size() < kCallersPerThread) {
    const Event event = next(queue);
    if (fleetauth_event_kind(event.get()) == FLEETAUTH_EVENT_HTTP_CALL) {
      herd.requests.fetch_add(1);
      const HttpCall call = claim(event.get());
      while (herd.ready.load() < kThreads) std::this_thread::yield();
      herd.answered_at = wall_ns();
      answer(call.get());
    } else if (fleetauth_event_kind(event.get()) == FLEETAUTH_EVENT_TOKEN) {
      const Token token = token_of(event.get());
      woken.push_back(wall_ns());
    }
  }
  return woken;
}

void expire_a_token(fleetauth_clock *clock, fleetauth_runtime *runtime, fleetauth_client *client) {
  const Queue queue = make_queue(runtime);
  const Op op = start(client, queue.get(), 0);
  answer(claim(next(queue.get()).get()).get());
  (void)token_of(next(queue.get()).get());
  must(fleetauth_clock_advance(clock, kLifetimeMs, nullptr), nullptr, "advance");
}

}  // namespace

void bench_herd() {
  fleetauth_clock *raw_clock = nullptr;
  must(fleetauth_clock_manual_new(1'767'323'045'000, &raw_clock, nullptr), nullptr, "clock");
  const Clock clock(raw_clock);
  const Runtime runtime = make_runtime(false, clock.get());
  const Client client = make_client(runtime.get(), {{"transport", "host"}});
  expire_a_token(clock.get(), runtime.get(), client.get());
  Herd herd;
  std::vector<Queue> queues;
  std::vector<Op> operations;
  for (int i = 0; i < kThreads; ++i) {
    queues.push_back(make_queue(runtime.get()));
    for (int caller = 0; caller < kCallersPerThread; ++caller) operations.push_back(start(client.get(), queues.back().get(), caller));
  }
  std::vector<std::vector<double>> woken(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    const auto index = static_cast<std::size_t>(i);
    threads.emplace_back([&, index] { woken[index] = wait_for_all(herd, queues[index].get()); });
  }
  for (std::thread &thread : threads) thread.join();

  std::vector<double> delays;
  for (const auto &times : woken) {
    for (const double time : times) delays.push_back(time - herd.answered_at);
  }
  std::printf("C: requests for 10,000 callers of an expired token\t1\t%d\t-\t%.2f x\t-\n", herd.requests.load(),
              static_cast<double>(herd.requests.load()));
  print("C: 10,000 waiting callers, wake-up p50", 0, percentile(delays, 0.5));
  print("C: 10,000 waiting callers, wake-up p99", kLimitNs, percentile(delays, 0.99));
}

}  // namespace bench
