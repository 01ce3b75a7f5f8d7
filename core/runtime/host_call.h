#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "core/flow/machine.h"
#include "core/runtime/engine.h"

namespace fleetauth::runtime {

/// Something that the host does for a flight. Offered to one queue at a time until somebody takes it; answered exactly once.
class HostCall : public std::enable_shared_from_this<HostCall> {
 public:
  virtual ~HostCall() = default;
  HostCall(const HostCall &) = delete;
  HostCall &operator=(const HostCall &) = delete;

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] std::int64_t timeout_ms() const;

  // ---- under the engine's mutex
  /// Offers it to the first of the flight's queues that is not the one it was offered to last.
  void offer(const std::shared_ptr<Flight> &flight);
  /// Nobody wants the answer any more; who took the call is told.
  void withdraw();
  [[nodiscard]] bool claimed() const { return state_ == State::Claimed; }
  [[nodiscard]] bool claimed_by_this_thread() const;

  // ---- the host's threads
  /// False when it was taken before or is no longer wanted.
  bool claim(QueueId queue);
  /// Who was offered it lets go of it without having taken it: it goes to somebody else, or fails when there is nobody.
  void decline(QueueId queue) noexcept;
  ErrorPtr fail(Status status, std::string_view message, std::int64_t user_error);
  /// The host let go of it; unanswered, it has failed.
  void dropped() noexcept;

 protected:
  /// `offered` and `cancelled` are the events that the host gets; `what` is what failed when it did, for messages.
  HostCall(std::shared_ptr<Engine> engine, std::uint64_t id, BootMs deadline, EventKind offered, EventKind cancelled,
           std::string_view what);
  /// Once, by the one who took it.
  ErrorPtr answer(const std::function<bool()> &deliver);
  [[nodiscard]] Engine &engine() const { return *engine_; }

 private:
  enum class State { Due, Offered, Claimed, Done };

  const std::shared_ptr<Engine> engine_;
  const std::uint64_t id_;
  const BootMs deadline_;
  const EventKind kind_;
  const std::string_view what_;
  State state_ = State::Due;
  QueueId offered_to_ = 0;
  std::vector<QueueId> declined_by_;
  std::thread::id claimed_by_;
  Timers::Id patience_;
  EventNode cancel_{1};  ///< made ahead
};

/// A request that the host sends.
class HttpCall final : public HostCall {
 public:
  HttpCall(std::shared_ptr<Engine> engine, std::uint64_t id, std::shared_ptr<const flow::HttpRequest> request, BootMs deadline);
  [[nodiscard]] const flow::HttpRequest &request() const { return *request_; }

  ErrorPtr add_header(std::string_view name, std::string_view value);
  ErrorPtr append_body(std::string_view bytes);
  ErrorPtr complete(std::int32_t http_status);

 private:
  const std::shared_ptr<const flow::HttpRequest> request_;
  std::mutex mutex_;  ///< the answer while it is put together; a leaf
  flow::HttpResponse response_;
  std::size_t header_bytes_ = 0;
};

/// Bytes that the host signs with a key of its own.
class SignCall final : public HostCall {
 public:
  SignCall(std::shared_ptr<Engine> engine, std::uint64_t id, std::shared_ptr<const flow::Sign> order, BootMs deadline);
  [[nodiscard]] const flow::Sign &order() const { return *order_; }

  ErrorPtr complete(std::string_view signature);

 private:
  const std::shared_ptr<const flow::Sign> order_;
};

}  // namespace fleetauth::runtime
