#pragma once

#include <cstdint>
#include <memory>

#include "core/runtime/client.h"
#include "core/runtime/queue.h"
#include "core/runtime/timers.h"

namespace fleetauth::runtime {

/// One caller's wait for a token. Completes exactly once, as an event on its queue.
class Operation : public std::enable_shared_from_this<Operation> {
 public:
  Operation(std::shared_ptr<const Plan> plan, const Queue &queue, std::int64_t tag, std::uint64_t id);

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const Plan &plan() const { return *plan_; }
  [[nodiscard]] QueueId queue() const { return queue_; }
  /// Its caller waits on this very thread.
  [[nodiscard]] bool synchronous() const { return synchronous_; }

  // ---- under the engine's mutex
  [[nodiscard]] bool done() const { return node_.empty(); }
  void wait_until(Engine &engine, BootMs deadline);
  void complete(Engine &engine, std::shared_ptr<const token::Token> token, std::int32_t word, bool from_cache);
  void complete(Engine &engine, ErrorPtr error);
  /// It was never begun: no event.
  void abandon(Engine &engine);

 private:
  void deliver(Engine &engine);

  const std::shared_ptr<const Plan> plan_;
  const QueueId queue_;
  const bool synchronous_;
  const std::uint64_t id_;
  Timers::Id deadline_;
  EventNode node_;  ///< its event, made ahead; gone once delivered
};

}  // namespace fleetauth::runtime
