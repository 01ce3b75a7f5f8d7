// Everything at once from many threads, for the thread sanitizer. FLEETAUTH_STRESS_SECONDS prolongs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "tests/capi/handles.h"
#include "tests/fault/raw_server.h"

namespace capi {
namespace {

using fleetauth::test::json_answer;
using fleetauth::test::RawConnection;
using fleetauth::test::RawServer;
using SteadyClock = std::chrono::steady_clock;

constexpr unsigned kThreads = 64;
constexpr unsigned kClients = 4;

std::chrono::seconds duration() {
  const char *given = std::getenv("FLEETAUTH_STRESS_SECONDS");
  return std::chrono::seconds(given == nullptr ? 2 : std::atoi(given));
}

void set(const Options &options, const char *name, const std::string &value) {
  ASSERT_EQ(fleetauth_options_set_text(options.get(), name, FLEETAUTH_NTS, value.data(), value.size(), nullptr), FLEETAUTH_OK);
}

std::string token_body(std::int64_t number) { return R"({"token":"tok-)" + std::to_string(number) + "\"}"; }

/// Several clients of one runtime, which threads use, abuse, log out and close; in the end the runtime is closed below them. A thread
/// answers their requests on a manual clock; or, given an origin, they go there, and the clock is the real one.
class Stress {
 public:
  explicit Stress(const char *mode, std::string origin = "") : origin_(std::move(origin)) {
    if (!over_network()) {
      EXPECT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock_.out(), nullptr), FLEETAUTH_OK);
    }
    Options options;
    EXPECT_EQ(fleetauth_options_new(options.out(), nullptr), FLEETAUTH_OK);
    set(options, "mode", mode);
    EXPECT_EQ(fleetauth_runtime_new(options.get(), clock_.get(), runtime_.out(), nullptr), FLEETAUTH_OK);
    for (Queue *queue : {&responder_, &observer_}) {
      EXPECT_EQ(fleetauth_queue_new(runtime_.get(), FLEETAUTH_QUEUE_LOOP, queue->out(), nullptr), FLEETAUTH_OK);
    }
    EXPECT_EQ(fleetauth_queue_observe(observer_.get(), nullptr), FLEETAUTH_OK);
    for (unsigned i = 0; i < kClients; ++i) clients_.push_back(make_client(i));
  }

  void run() {
    std::vector<std::thread> threads;
    threads.emplace_back([this] { respond(); });
    for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back([this, i] { use(i); });
    const auto end = SteadyClock::now() + duration();
    while (SteadyClock::now() < end) observe();
    EXPECT_EQ(fleetauth_runtime_close(runtime_.get(), 10'000, nullptr), FLEETAUTH_OK);
    over_ = true;
    for (std::thread &thread : threads) thread.join();
  }

  [[nodiscard]] std::int64_t started() const { return started_; }
  [[nodiscard]] std::int64_t woken() const { return woken_; }
  [[nodiscard]] std::int64_t succeeded() const { return succeeded_; }
  [[nodiscard]] std::int64_t logged_out() const { return logged_out_; }
  [[nodiscard]] std::int64_t noticed() const { return noticed_; }

 private:
  using Random = std::minstd_rand;
  using SharedClient = std::shared_ptr<const Client>;

  [[nodiscard]] bool over_network() const { return !origin_.empty(); }
  [[nodiscard]] std::string url() const { return (over_network() ? origin_ : "https://api.fleetup.net") + "/devices"; }

  /// Without a handle once the runtime is closed.
  SharedClient make_client(unsigned number) {
    Options options;
    Provider provider;
    Client client;
    EXPECT_EQ(fleetauth_options_new(options.out(), nullptr), FLEETAUTH_OK);
    set(options, "api_key", "key");
    set(options, "acct_id", std::to_string(number + 1));
    set(options, "secret", "secret");
    if (over_network()) {
      set(options, "base_url", origin_);
      set(options, "allow_loopback_http", "true");
    } else {
      set(options, "transport", "host");
    }
    EXPECT_EQ(fleetauth_provider_builtin("fleetup", FLEETAUTH_NTS, provider.out(), nullptr), FLEETAUTH_OK);
    if (fleetauth_client_new(runtime_.get(), provider.get(), options.get(), client.out(), nullptr) == FLEETAUTH_OK && !over_network()) {
      fleetauth_queue_serve(responder_.get(), client.get(), nullptr);
    }
    return std::make_shared<const Client>(std::move(client));
  }

  SharedClient any_client(Random &random) {
    const std::lock_guard lock(clients_mutex_);
    return clients_[random() % kClients];
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
    const std::string body = token_body(++answered_);
    fleetauth_http_call_add_header(call.get(), "Content-Type", FLEETAUTH_NTS, "application/json", FLEETAUTH_NTS, nullptr);
    fleetauth_http_call_append_body(call.get(), reinterpret_cast<const std::uint8_t *>(body.data()), body.size(), nullptr);
    fleetauth_http_call_complete(call.get(), luck == 2 ? 503 : 200, nullptr);
  }

  /// What the runtime tells of, and with a manual clock the time that passes.
  void observe() {
    Event event;
    if (fleetauth_queue_next(observer_.get(), over_network() ? 10 : 0, event.out(), nullptr) == FLEETAUTH_OK) ++noticed_;
    Blob counters;
    fleetauth_runtime_counters(runtime_.get(), counters.out(), nullptr);
    if (over_network()) return;
    fleetauth_clock_advance(clock_.get(), 20'000, nullptr);
    fleetauth_clock_step_wall(clock_.get(), -1000, nullptr);
    std::this_thread::yield();
  }

  // ---- its users

  /// What a thread has for itself. The tag of an operation is the index of its completions.
  struct User {
    explicit User(unsigned seed) : random(seed + 2) {}
    Random random;
    Queue queue;
    std::vector<int> completions;
  };

  void use(unsigned seed) {
    User user(seed);
    ASSERT_EQ(fleetauth_queue_new(runtime_.get(), seed % 2 == 0 ? FLEETAUTH_QUEUE_SYNC : FLEETAUTH_QUEUE_LOOP, user.queue.out(), nullptr),
              FLEETAUTH_OK);
    fleetauth_queue_set_wakeup(
        user.queue.get(), [](void *count) { static_cast<std::atomic<std::int64_t> *>(count)->fetch_add(1); }, &woken_);
    std::vector<Op> ops;
    while (!over_) {
      const SharedClient client = any_client(user.random);
      switch (user.random() % 16) {
        case 0:
        case 1:
        case 2:
        case 3:
          ops.push_back(start(*client, user));
          break;
        case 4:
        case 5:
          if (!ops.empty()) fleetauth_op_cancel(ops[user.random() % ops.size()].get());
          break;
        case 6:
          copy(*client);
          break;
        case 7:
          if (user.random() % patience_ == 0) close_one(user.random);
          break;
        case 8:
          if (user.random() % patience_ == 0) log_out(*client, user);
          break;
        case 9:
          wait(user, 1);
          break;
        case 10:
          if (over_network()) get(*client);
          break;
        default:
          peek(*client, user.random() % 4 == 0);
      }
      wait(user, 0);
      if (ops.size() > 32) ops.clear();
    }
    fleetauth_queue_close(user.queue.get());
    wait(user, 0);
    fleetauth_queue_set_wakeup(user.queue.get(), nullptr, nullptr);
    EXPECT_THAT(user.completions, ::testing::Each(1)) << "every operation completes exactly once";
    started_ += static_cast<std::int64_t>(user.completions.size());
  }

  Op start(const Client &client, User &user) {
    Op op;
    begin(user, [&](std::int64_t tag) {
      return fleetauth_client_start(client.get(), nullptr, nullptr, 0, url_.data(), url_.size(), user.queue.get(), tag, op.out(), nullptr);
    });
    return op;
  }

  /// What did not start completes never.
  template <class Start>
  static void begin(User &user, Start start) {
    user.completions.push_back(0);
    if (start(static_cast<std::int64_t>(user.completions.size()) - 1) == FLEETAUTH_OK) return;
    EXPECT_EQ(user.completions.back(), 0);
    user.completions.pop_back();
  }

  /// Waits, or drives, until the token is there.
  void get(const Client &client) {
    Token token;
    if (fleetauth_client_token(client.get(), nullptr, nullptr, 0, url_.data(), url_.size(), token.out(), nullptr) == FLEETAUTH_OK) {
      ++succeeded_;
    }
  }

  void peek(const Client &client, bool refuse) {
    Token token;
    if (fleetauth_client_peek(client.get(), nullptr, nullptr, 0, url_.data(), url_.size(), token.out(), nullptr) != FLEETAUTH_OK) return;
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

  static void log_out(const Client &client, User &user) {
    Op op;
    begin(user, [&](std::int64_t tag) { return fleetauth_client_logout(client.get(), user.queue.get(), tag, op.out(), nullptr); });
  }

  /// Closes a client that others use, with operations in flight; another of the same configuration takes its place.
  void close_one(Random &random) {
    const auto number = static_cast<unsigned>(random() % kClients);
    SharedClient client = make_client(number);
    if (client->get() == nullptr) return;
    {
      const std::lock_guard lock(clients_mutex_);
      client.swap(clients_[number]);
    }
    fleetauth_client_close(client->get());
  }

  /// Takes what is in the queue; waits at most so long for the first of it.
  void wait(User &user, std::int64_t timeout_ms) {
    Event event;
    while (fleetauth_queue_next(user.queue.get(), std::exchange(timeout_ms, 0), event.out(), nullptr) == FLEETAUTH_OK) {
      const std::int32_t kind = fleetauth_event_kind(event.get());
      if (kind == FLEETAUTH_EVENT_HTTP_CALL) answer(event, user.random);
      if (kind == FLEETAUTH_EVENT_LOGGED_OUT) ++logged_out_;
      if (kind == FLEETAUTH_EVENT_TOKEN || kind == FLEETAUTH_EVENT_LOGGED_OUT) {
        ++user.completions.at(static_cast<std::size_t>(fleetauth_event_tag(event.get())));
      }
      Token token;
      if (kind == FLEETAUTH_EVENT_TOKEN && fleetauth_event_token(event.get(), token.out(), nullptr) == FLEETAUTH_OK) ++succeeded_;
    }
  }

  const std::string origin_;
  const std::string url_ = url();
  const unsigned patience_ = over_network() ? 16 : 1;  ///< so that some requests live to see their answer
  Clock clock_;
  Runtime runtime_;
  Queue responder_;
  Queue observer_;
  std::mutex clients_mutex_;
  std::vector<SharedClient> clients_;
  std::atomic<bool> over_{false};
  std::atomic<std::int64_t> started_{0};
  std::atomic<std::int64_t> answered_{0};
  std::atomic<std::int64_t> succeeded_{0};
  std::atomic<std::int64_t> logged_out_{0};
  std::atomic<std::int64_t> noticed_{0};
  std::atomic<std::int64_t> woken_{0};
};

void run_in(const char *mode, const std::string &origin = "") {
  const std::int64_t before = fleetauth_live_handles();
  {
    Stress stress(mode, origin);
    stress.run();
    EXPECT_GT(stress.started(), 0);
    EXPECT_GT(stress.succeeded(), 0);
    EXPECT_GT(stress.logged_out(), 0);
    EXPECT_GT(stress.noticed(), 0);
    EXPECT_GT(stress.woken(), 0);
    std::cout << kThreads << " threads, " << duration().count() << " s: " << stress.started() << " operations, " << stress.succeeded()
              << " tokens, " << stress.logged_out() << " logouts\n";
  }
  EXPECT_EQ(fleetauth_live_handles(), before);
}

TEST(Stress, P13_EverythingAtOnce) { run_in("threaded"); }
TEST(Stress, P13_EverythingAtOnceWithoutAThreadOfOurs) { run_in("manual"); }

TEST(Stress, P13_EverythingAtOnceOverTheNetwork) {
  std::atomic<std::int64_t> requests{0};
  const RawServer server([&requests](RawConnection &connection) {
    while (!connection.read_request().empty()) {
      const std::int64_t number = ++requests;
      if (number % 16 == 0) return connection.reset();
      if (number % 16 == 1) connection.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
      if (number % 16 > 1 && !connection.send(json_answer(token_body(number)))) return;
    }
  });
  run_in("threaded", server.origin());
  EXPECT_GT(requests, 0);
  std::cout << requests << " requests\n";
}

}  // namespace
}  // namespace capi
