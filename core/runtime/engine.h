#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/clock.h"
#include "core/flow/machine.h"
#include "core/net/driver.h"
#include "core/net/pace.h"
#include "core/net/restraint.h"
#include "core/net/retry.h"
#include "core/runtime/login_guard.h"
#include "core/runtime/notice.h"
#include "core/runtime/options.h"
#include "core/runtime/queue.h"
#include "core/runtime/timers.h"

namespace fleetauth::runtime {

class Flight;
class HostCall;
class Operation;
class SourceSet;
class TokenSource;

/// What everything of one runtime shares: the mutex, the clock, timers, the driver and whoever drives it.
///
/// The mutex guards sources, flights, operations and timers. It is never held across I/O. The driver belongs to the one who drives:
/// the I/O thread (threaded mode) or a waiting caller (manual mode); others leave commands and wake it.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  using Lock = std::unique_lock<std::mutex>;

  Engine(RuntimeSettings settings, std::shared_ptr<Clock> clock);
  ~Engine();
  Engine(const Engine &) = delete;
  Engine &operator=(const Engine &) = delete;
  /// After construction: joins the fork handlers and the manual clock.
  void attach();

  // ---- any thread
  /// Takes the mutex; in a fork's child the first to come puts the engine in order.
  [[nodiscard]] Lock enter();
  [[nodiscard]] bool manual() const { return settings_.manual; }
  [[nodiscard]] const std::shared_ptr<Clock> &clock() const { return clock_; }
  [[nodiscard]] flow::Now now() const { return {clock_->boot_ms(), clock_->wall_ms()}; }
  /// In a fork's child that has not entered yet: what other members say is of the parent.
  [[nodiscard]] bool forked() const { return forked_.load(std::memory_order_relaxed); }
  /// True while generation words follow the clock by themselves: only then may a host keep headers.
  [[nodiscard]] bool words_live() const { return words_live_.load(std::memory_order_acquire); }
  /// Fails what is in flight and has the I/O thread leave. Does not wait.
  void shut_down();
  /// shut_down, and waits for the thread; false when it has not left in time.
  bool close(std::int64_t timeout_ms);
  /// Has whoever drives look around: an event was queued. Needs no lock.
  void nudge();
  /// In manual mode: drives, or waits while another does, until `queue` has an event or the real time is over.
  ErrorPtr drive(const Queue &queue, std::optional<std::chrono::steady_clock::time_point> until);
  [[nodiscard]] int driver_fd();

  // ---- under the mutex
  [[nodiscard]] bool closed() const { return closed_; }
  /// The sources for a key, made if there are none.
  std::shared_ptr<SourceSet> sources(const std::string &key, const std::function<std::shared_ptr<SourceSet>()> &make);

  /// The pace of a step for all clients of a configuration, made if there is none. Good until the mutex is released.
  net::Pace &pace(const std::string &configuration, const provider::Step &step);
  /// The time, and what it is for the provider of a configuration.
  [[nodiscard]] flow::Now now(const std::string &configuration) const;
  /// A provider's answer came with this Date, so long after its request left. Tells whether our wall clock is wrong.
  void learn_time(const std::string &configuration, WallMs date, std::int64_t took_ms) noexcept;
  /// No client of the configuration is left.
  void forget(const std::string &configuration);

  /// Counts it, and tells the queues that observe this runtime.
  void notify(const Notice &notice) noexcept;
  void observe(QueueId queue);
  [[nodiscard]] const Counters &counters() const { return counters_; }

  [[nodiscard]] net::Restraint &restraint() { return restraint_; }
  [[nodiscard]] LoginGuard &logins() { return logins_; }

  /// Takes the memory that it needs to read an answer of a usual size, for when there is none left.
  void lay_by();
  void use_what_is_laid_by() { laid_by_ = nullptr; }

  std::uint64_t next_id() { return ++last_id_; }
  double random();

  /// A deadline of an operation or a flight: run by the one who drives.
  Timers::Id at(BootMs when, std::function<void()> what);
  void cancel(Timers::Id &timer) { timers_.cancel(timer); }
  /// An instant in the life of a token: run by anyone, so that it follows a manual clock at once.
  Timers::Id at_token_instant(BootMs when, std::function<void()> what);
  void move_token_instant(Timers::Id &timer, BootMs when);
  void cancel_token_instant(Timers::Id &timer) { token_timers_.cancel(timer); }

  void track(const std::shared_ptr<Operation> &operation);
  void untrack(std::uint64_t operation);
  void complete_if(const std::function<bool(const Operation &)> &which, const ErrorPtr &error);

  /// The outcome of the request, whoever sends it, is the flight's unless it is aborted first.
  void expect(std::uint64_t id, const std::shared_ptr<Flight> &flight);
  /// Hands the request to the driver.
  void transmit(std::uint64_t id, std::shared_ptr<const flow::HttpRequest> request, std::shared_ptr<const net::NetOptions> options);
  /// A queue came or went: requests of the host that nobody has taken may have somebody else to go to.
  void offer_calls_again();
  void abort(std::uint64_t id);
  [[nodiscard]] flow::Sent sent(std::uint64_t id) const;
  /// The outcome of what a flight waits for; false when nobody waits for it any more.
  using Outcome = std::variant<flow::HttpResponse, flow::HttpFailure, SecretBytes>;  ///< the last is a signature
  bool deliver(std::uint64_t id, Outcome outcome);

  /// Has the bytes signed without the mutex: by whoever drives, or by this thread if it is SigningHere.
  struct Signature {
    std::uint64_t id = 0;
    std::shared_ptr<const flow::Sign> order;
  };
  ErrorPtr sign(Signature signature);
  /// While it lives, what is to be signed is left to this thread, which takes it before it leaves the mutex and carries it out after.
  class SigningHere {
   public:
    SigningHere(Engine &engine, bool here);
    ~SigningHere();
    SigningHere(const SigningHere &) = delete;
    SigningHere &operator=(const SigningHere &) = delete;
    [[nodiscard]] std::vector<Signature> take();

   private:
    Engine &engine_;
    bool here_;
    std::vector<Signature> of_others_;  ///< what was left to be signed before
  };
  void carry_out(std::span<const Signature> signatures);  ///< without the mutex
  /// There is something to do for whoever drives: wakes it, or starts the thread. E_RESOURCE.
  ErrorPtr call_driver();

  // ---- queues; any thread, with or without the mutex
  QueueId add_queue(Queue *queue);
  void remove_queue(QueueId id);
  /// Takes the event out of `node`. False when the queue is gone or closed: then it stays, and ends with `node`, outside all locks of
  /// queues: what an event refers to may post another one when it ends.
  bool post(QueueId id, EventNode &node);
  [[nodiscard]] bool takes_events(QueueId id);

  // ---- fork handlers; the registry calls them
  void lock_for_fork();
  void unlock_after_fork();
  void mark_forked();

 private:
  struct Command {
    std::uint64_t id = 0;
    std::shared_ptr<const flow::HttpRequest> request;  ///< null: cancel
    std::shared_ptr<const net::NetOptions> options;
    bool refused = false;  ///< for want of memory
  };
  /// What the one who drives touches without the mutex. A fork's child leaves it behind.
  struct Turn {
    std::unordered_map<std::uint64_t, std::shared_ptr<const flow::HttpRequest>> sending;  ///< kept until libcurl is done with it
    std::vector<std::pair<std::uint64_t, net::Outcome>> arrived;
  };

  void guarded_turn(Lock &lock, std::int64_t max_wait_ms);
  void turn(Lock &lock, std::int64_t max_wait_ms);
  void exchange_with_network(Lock &lock, std::int64_t max_wait_ms);
  void obey(std::vector<Command> &commands);
  void fail_refused(const std::vector<Command> &commands);
  void handle_outcomes();
  void handle_signatures(Lock &lock);
  void io_thread();
  [[nodiscard]] bool idle() const;
  ErrorPtr ensure_driver();
  void wake();
  void close_driver();
  void for_each_source(const std::function<void(TokenSource &)> &what) const;
  void fail_everything(const ErrorPtr &error);
  void leave_to_parent() noexcept;
  void rebuild_after_fork();
  void clock_moved();

  const RuntimeSettings settings_;
  const std::shared_ptr<Clock> clock_;
  std::mutex mutex_;

  std::unordered_map<std::string, std::weak_ptr<SourceSet>> sources_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Operation>> operations_;
  std::unordered_map<std::uint64_t, std::weak_ptr<Flight>> awaited_;  ///< by exchange
  std::size_t sweep_at_ = 64;
  std::unordered_map<std::string, std::map<std::string, net::Pace>> paces_;  ///< by the configuration's digest and the step
  std::unordered_map<std::string, std::int64_t> server_times_;  ///< by configuration, less CLOCK_BOOTTIME: where our wall clock is wrong
  std::unique_ptr<char[]> laid_by_;
  Counters counters_{};
  std::vector<QueueId> observers_;
  net::Restraint restraint_{[this] { return random(); }};
  LoginGuard logins_;
  Timers timers_;
  Timers token_timers_;
  std::uint64_t last_id_ = 0;
  bool closed_ = false;
  std::atomic<bool> forked_{false};

  std::mutex queues_mutex_;  ///< a leaf but for the queues' own
  std::unordered_map<QueueId, Queue *> queues_;
  QueueId last_queue_ = 0;

  // The driver and its driver.
  std::unique_ptr<Turn> turn_ = std::make_unique<Turn>();
  std::unique_ptr<net::Driver> driver_;  ///< in manual mode never replaced before the end: nudge() reads it without a lock
  std::atomic<net::Driver *> nudged_{nullptr};
  std::vector<Command> commands_;
  std::vector<Signature> signatures_;
  bool signing_here_ = false;
  std::minstd_rand spread_;  ///< of pauses; no secret
  bool driving_ = false;
  BootMs armed_ = kNever;  ///< until when it waits at most
  bool thread_alive_ = false;
  std::atomic<bool> words_live_{false};
  std::unique_ptr<std::condition_variable> turn_over_ = std::make_unique<std::condition_variable>();
};

/// Guards the process's shared runtime; the fork handlers take it first.
std::mutex &shared_runtime_mutex();

/// Held while what lasts for the life of the process is made.
std::mutex &first_use_mutex();

/// Once; throws std::bad_alloc, the one reason for which it can fail, and then a later call tries again.
void install_fork_handlers();
/// Keeps the list of engines that the fork handlers go through.
void register_engine(Engine *engine);
void unregister_engine(Engine *engine);

/// What handles hold: the engine lives as long as its thread needs it, the runtime as long as somebody refers to it.
class Runtime {
 public:
  /// Prepares OpenSSL and libcurl and fails when they do not work. `clock` null: the real one.
  static Result<std::shared_ptr<Runtime>> create(RuntimeSettings settings, std::shared_ptr<Clock> clock);
  /// The process's own, made at the first call and again after it was closed.
  static Result<std::shared_ptr<Runtime>> shared();

  explicit Runtime(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  ~Runtime();
  Runtime(const Runtime &) = delete;
  Runtime &operator=(const Runtime &) = delete;

  [[nodiscard]] Engine &engine() const { return *engine_; }

 private:
  std::shared_ptr<Engine> engine_;
};

}  // namespace fleetauth::runtime
