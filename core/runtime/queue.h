#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/os/descriptor.h"
#include "core/flow/machine.h"
#include "core/token/token.h"

namespace fleetauth::net {
class Driver;
}

namespace fleetauth::runtime {

class Engine;
class HostCall;
class Runtime;
struct Plan;

/// What the engine calls a queue by. Only handles own queues: what happens under the engine's mutex can then never be the end of one.
using QueueId = std::uint64_t;

/// Waits are cut to a century, which still fits where the system counts nanoseconds.
inline constexpr std::int64_t kLongestWaitMs = 100LL * 366 * 24 * 3600 * 1000;

enum class EventKind {
  Token = 1,
  HttpCall = 2,
  HttpCancel = 3,
  Release = 4,
  Closed = 5,
  Identity = 6,
  Accounts = 7,
  LoggedOut = 8,
  SignCall = 9,
  SignCancel = 10,
  Notice = 11
};

struct Event {
  EventKind kind = EventKind::Closed;
  std::int64_t tag = 0;
  // of an operation
  std::shared_ptr<const Plan> plan;
  ErrorPtr error;
  // Token
  std::shared_ptr<const token::Token> token;
  std::int32_t word = 0;
  bool from_cache = false;
  // Identity, Accounts
  std::shared_ptr<const flow::Identity> identity;
  std::shared_ptr<const flow::Accounts> accounts;
  // HttpCall, SignCall
  std::shared_ptr<HostCall> call;
  QueueId queue = 0;
  // Notice
  std::shared_ptr<const std::string> notice;
};

/// A list of one event, made ahead so that delivering it later needs no memory.
using EventNode = std::list<Event>;

/// Where events wait for their taker. Its mutex is a leaf: taken under the engine's, never the other way round.
class Queue {
 public:
  enum class Kind { Loop = 0, Sync = 1 };
  using Wakeup = void (*)(void *);

  Queue(std::shared_ptr<Runtime> runtime, Kind kind);
  ~Queue();
  Queue(const Queue &) = delete;
  Queue &operator=(const Queue &) = delete;

  [[nodiscard]] QueueId id() const { return id_; }
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] Engine &engine() const;

  /// Takes the oldest event; waits at most `timeout_ms` of real time (0 not at all, -1 for ever). In manual mode it drives meanwhile.
  /// E_WOULD_BLOCK when none came, E_CLOSED when none will come any more.
  Result<Event> next(std::int64_t timeout_ms);
  /// A descriptor that is readable while events wait; -1 when there are no descriptors left.
  int wakeup_fd();
  void set_wakeup(Wakeup wakeup, void *user_data);
  void close();

  // ---- for the engine
  /// Takes the event out of `node`; false when the queue is closed. A notice is left where too many wait.
  bool push(EventNode &node);
  /// Leaves the CLOSED event and takes no further ones.
  void end();
  [[nodiscard]] bool closed() const;
  [[nodiscard]] bool has_events() const;
  /// Around a fork.
  void lock_for_fork() { mutex_.lock(); }
  void unlock_after_fork() { mutex_.unlock(); }
  /// In the child, before anything of the program runs there: what the descriptors' numbers mean is the child's own from now on.
  void renew_descriptors() noexcept;
  /// In the child, later: the waiters of the parent are forgotten.
  void rebuild_after_fork();
  /// Manual mode: the engine has a driver, whose descriptor belongs to what programs poll.
  void driver_made(net::Driver &driver);

 private:
  std::optional<Event> pop();
  void append(EventNode &node);
  void wake() noexcept;

  const std::shared_ptr<Runtime> runtime_;
  const Kind kind_;
  QueueId id_ = 0;
  mutable std::mutex mutex_;
  std::unique_ptr<std::condition_variable> arrived_ = std::make_unique<std::condition_variable>();
  EventNode events_;
  std::size_t notices_ = 0;  ///< of them
  EventNode last_{1};        ///< the CLOSED event, made ahead
  os::Descriptor event_;     ///< made when somebody asks for the wake-up descriptor
  os::Descriptor both_;      ///< manual mode: an epoll of event_ and the driver's descriptor
  Wakeup wakeup_ = nullptr;
  void *user_data_ = nullptr;
  bool closed_ = false;
};

}  // namespace fleetauth::runtime
