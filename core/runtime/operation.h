#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/flow/machine.h"
#include "core/runtime/client.h"
#include "core/runtime/queue.h"
#include "core/runtime/timers.h"
#include "core/runtime/waiter.h"

namespace fleetauth::runtime {

/// One caller's wait for what it started. Completes exactly once, as an event on its queue.
class Operation final : public Waiter, public std::enable_shared_from_this<Operation> {
 public:
  /// `kind` is the event that it completes with.
  Operation(Engine &engine, EventKind kind, std::shared_ptr<const Plan> plan, const Queue &queue, std::int64_t tag);

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const Plan &plan() const { return *plan_; }
  [[nodiscard]] EventKind kind() const { return kind_; }

  // ---- under the engine's mutex
  [[nodiscard]] QueueId queue() const override { return queue_; }
  [[nodiscard]] bool synchronous() const override { return synchronous_; }
  [[nodiscard]] bool done() const override { return node_.empty(); }
  [[nodiscard]] std::int64_t min_remaining_ms() const override { return plan_->min_remaining_ms; }
  void got_token(std::shared_ptr<const token::Token> token, std::int32_t word, bool from_cache) override;
  void got_error(ErrorPtr error) override;
  void got_identity(flow::Identity identity);
  void got_accounts(flow::Accounts accounts);
  /// What was asked for is done; there is nothing to hand over.
  void finished();

  void wait_until(BootMs deadline);
  /// Called when it completes, whatever with: what was done for it alone need not go on.
  void when_over(std::function<void()> what) { over_ = std::move(what); }
  /// It was never begun: no event.
  void abandon();

 private:
  void timed_out();
  void deliver();

  Engine &engine_;
  const EventKind kind_;
  const std::shared_ptr<const Plan> plan_;
  const QueueId queue_;
  const bool synchronous_;
  const std::uint64_t id_;
  Timers::Id deadline_;
  EventNode node_;  ///< its event, made ahead; gone once delivered
  std::function<void()> over_;
};

}  // namespace fleetauth::runtime
