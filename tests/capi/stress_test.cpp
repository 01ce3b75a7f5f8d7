// Everything at once from many threads, for the thread sanitizer. FLEETAUTH_STRESS_SECONDS prolongs it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "tests/capi/handles.h"

namespace capi {
namespace {

constexpr int kThreads = 16;
constexpr int kClients = 4;

std::chrono::seconds duration() {
  const char *given = std::getenv("FLEETAUTH_STRESS_SECONDS");
  return std::chrono::seconds(given == nullptr ? 2 : std::atoi(given));
}

void set(const Options &options, const char *name, const std::string &value) {
  ASSERT_EQ(fleetauth_options_set_text(options.get(), name, FLEETAUTH_NTS, value.data(), value.size(), nullptr), FLEETAUTH_OK);
}

/// Several clients on one runtime and manual clock; a thread answers their requests, others use and abuse them.
class Stress {
 public:
  explicit Stress(const char *mode) {
    EXPECT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock_.out(), nullptr), FLEETAUTH_OK);
    Options options;
    EXPECT_EQ(fleetauth_options_new(options.out(), nullptr), FLEETAUTH_OK);
    set(options, "mode", mode);
    EXPECT_EQ(fleetauth_runtime_new(options.get(), clock_.get(), runtime_.out(), nullptr), FLEETAUTH_OK);
    EXPECT_EQ(fleetauth_queue_new(runtime_.get(), FLEETAUTH_QUEUE_LOOP, responder_.out(), nullptr), FLEETAUTH_OK);
    for (int i = 0; i < kClients; ++i) clients_.push_back(make_client(i));
  }

  void run() {
    const auto end = std::chrono::steady_clock::now() + duration();
    std::vector<std::thread> threads;
    threads.emplace_back([this] { respond(); });
    threads.emplace_back([this, end] { turn_the_clock(end); });
    for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back([this, i, end] { use(i, end); });
    for (std::size_t i = 1; i < threads.size(); ++i) threads[i].join();
    for (const Client &client : clients_) fleetauth_client_close(client.get());
    fleetauth_queue_close(responder_.get());
    threads[0].join();
  }

  [[nodiscard]] std::int64_t started() const { return started_; }
  [[nodiscard]] std::int64_t completed() const { return completed_; }
  [[nodiscard]] std::int64_t answered() const { return answered_; }
  [[nodiscard]] std::int64_t succeeded() const { return succeeded_; }

 private:
  using Random = std::minstd_rand;

  Client make_client(int number) {
    Options options;
    Provider provider;
    Client client;
    EXPECT_EQ(fleetauth_options_new(options.out(), nullptr), FLEETAUTH_OK);
    set(options, "api_key", "key");
    set(options, "acct_id", std::to_string(number + 1));
    set(options, "secret", "secret");
    set(options, "transport", "host");
    EXPECT_EQ(fleetauth_provider_builtin("fleetup", FLEETAUTH_NTS, provider.out(), nullptr), FLEETAUTH_OK);
    EXPECT_EQ(fleetauth_client_new(runtime_.get(), provider.get(), options.get(), client.out(), nullptr), FLEETAUTH_OK);
    EXPECT_EQ(fleetauth_queue_serve(responder_.get(), client.get(), nullptr), FLEETAUTH_OK);
    return client;
  }

  // ---- the host's transport

  void respond() {
    Random random(1);
    for (;;) {
      Event event;
      if (fleetauth_queue_next(responder_.get(), -1, event.out(), nullptr) != FLEETAUTH_OK) return;
      if (fleetauth_event_kind(event.get()) == FLEETAUTH_EVENT_HTTP_CALL) answer(event, random);
    }
  }

  void answer(const Event &event, Random &random) {
    HttpCall call;
    if (fleetauth_event_http_call(event.get(), call.out(), nullptr) != FLEETAUTH_OK) return;
    const unsigned luck = static_cast<unsigned>(random() % 16);
    if (luck == 0) return;  // dropped
    if (luck == 1) {
      fleetauth_http_call_fail(call.get(), FLEETAUTH_E_NETWORK, "Broken", FLEETAUTH_NTS, 7, nullptr);
      return;
    }
    const std::string body = R"({"token":"tok-)" + std::to_string(++answered_) + "\"}";
    fleetauth_http_call_add_header(call.get(), "Content-Type", FLEETAUTH_NTS, "application/json", FLEETAUTH_NTS, nullptr);
    fleetauth_http_call_append_body(call.get(), reinterpret_cast<const std::uint8_t *>(body.data()), body.size(), nullptr);
    fleetauth_http_call_complete(call.get(), luck == 2 ? 503 : 200, nullptr);
  }

  void turn_the_clock(std::chrono::steady_clock::time_point end) {
    while (std::chrono::steady_clock::now() < end) {
      fleetauth_clock_advance(clock_.get(), 20'000, nullptr);
      fleetauth_clock_step_wall(clock_.get(), -1000, nullptr);
      std::this_thread::yield();
    }
  }

  // ---- its users

  void use(unsigned seed, std::chrono::steady_clock::time_point end) {
    Random random(seed + 2);
    Queue queue;
    ASSERT_EQ(fleetauth_queue_new(runtime_.get(), seed % 2 == 0 ? FLEETAUTH_QUEUE_SYNC : FLEETAUTH_QUEUE_LOOP, queue.out(), nullptr),
              FLEETAUTH_OK);
    fleetauth_queue_set_wakeup(
        queue.get(), [](void *count) { static_cast<std::atomic<int> *>(count)->fetch_add(1); }, &wakeups_);
    std::vector<Op> ops;
    while (std::chrono::steady_clock::now() < end) {
      const Client &client = clients_[random() % kClients];
      switch (random() % 8) {
        case 0:
        case 1:
        case 2:
          ops.push_back(start(client, queue));
          break;
        case 3:
          if (!ops.empty()) fleetauth_op_cancel(ops[random() % ops.size()].get());
          break;
        case 4:
          copy(client);
          break;
        case 5:
          close_another();
          break;
        default:
          peek(client, random() % 4 == 0);
      }
      drain(queue, random);
      if (ops.size() > 32) ops.clear();
    }
    fleetauth_queue_close(queue.get());
    drain(queue, random);
    fleetauth_queue_set_wakeup(queue.get(), nullptr, nullptr);
  }

  Op start(const Client &client, const Queue &queue) {
    static const std::string url = "https://api.fleetup.net/devices";
    Op op;
    if (fleetauth_client_start(client.get(), nullptr, nullptr, 0, url.data(), url.size(), queue.get(), 1, op.out(), nullptr) ==
        FLEETAUTH_OK) {
      ++started_;
    }
    return op;
  }

  void peek(const Client &client, bool refuse) {
    static const std::string url = "https://api.fleetup.net/devices";
    Token token;
    if (fleetauth_client_peek(client.get(), nullptr, nullptr, 0, url.data(), url.size(), token.out(), nullptr) != FLEETAUTH_OK) return;
    ++succeeded_;
    EXPECT_EQ(text(fleetauth_token_header_value(token.get(), 0, nullptr), 11), "Bearer tok-");
    const std::int64_t slot = fleetauth_token_slot(token.get());
    std::size_t len = 0;
    const auto *words = reinterpret_cast<const std::int32_t *>(fleetauth_slot_words(slot / 1024, &len));
    EXPECT_NE(__atomic_load_n(&words[slot % 1024], __ATOMIC_ACQUIRE), 0);
    if (!refuse) return;
    std::int32_t advice = 0;
    fleetauth_client_report_rejected(client.get(), slot, fleetauth_token_generation(token.get()), 401, nullptr, 0, &advice, nullptr);
  }

  static void copy(const Client &client) {
    std::uint8_t buffer[64];
    std::size_t len = 0;
    std::int64_t generation = 0;
    for (std::int64_t slot = 0; slot < 8; ++slot) {
      if (fleetauth_slot_copy(client.get(), slot, buffer, sizeof buffer, &len, &generation) != FLEETAUTH_OK) continue;
      EXPECT_EQ(text(buffer, 4), "tok-");
    }
  }

  /// A client of the same configuration, which ends with operations in flight.
  void close_another() {
    Queue queue;
    ASSERT_EQ(fleetauth_queue_new(runtime_.get(), FLEETAUTH_QUEUE_LOOP, queue.out(), nullptr), FLEETAUTH_OK);
    const Client client = make_client(static_cast<int>(started_ % (2 * kClients)));
    const Op op = start(client, queue);
    if (op.get() != nullptr) ++completed_;  // by the close, unseen
    fleetauth_client_close(client.get());
  }

  void drain(const Queue &queue, Random &random) {
    Event event;
    while (fleetauth_queue_next(queue.get(), 0, event.out(), nullptr) == FLEETAUTH_OK) {
      if (fleetauth_event_kind(event.get()) == FLEETAUTH_EVENT_HTTP_CALL) answer(event, random);
      if (fleetauth_event_kind(event.get()) != FLEETAUTH_EVENT_TOKEN) continue;
      ++completed_;
      Token token;
      if (fleetauth_event_token(event.get(), token.out(), nullptr) == FLEETAUTH_OK) ++succeeded_;
    }
  }

  Clock clock_;
  Runtime runtime_;
  Queue responder_;
  std::vector<Client> clients_;
  std::atomic<std::int64_t> started_{0};
  std::atomic<std::int64_t> completed_{0};
  std::atomic<std::int64_t> answered_{0};
  std::atomic<std::int64_t> succeeded_{0};
  std::atomic<int> wakeups_{0};
};

void run_in(const char *mode) {
  const std::int64_t before = fleetauth_live_handles();
  {
    Stress stress(mode);
    stress.run();
    EXPECT_EQ(stress.started(), stress.completed()) << "every operation completes exactly once";
    EXPECT_GT(stress.answered(), 0);
    EXPECT_GT(stress.succeeded(), 0);
  }
  EXPECT_EQ(fleetauth_live_handles(), before);
}

TEST(Stress, P13_EverythingAtOnce) { run_in("threaded"); }
TEST(Stress, P13_EverythingAtOnceWithoutAThreadOfOurs) { run_in("manual"); }

}  // namespace
}  // namespace capi
