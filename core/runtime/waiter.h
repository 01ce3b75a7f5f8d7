#pragma once

#include <cstdint>
#include <memory>

#include "core/runtime/queue.h"

namespace fleetauth::runtime {

/// One who waits for a token. Everything under the engine's mutex.
class Waiter {
 public:
  Waiter() = default;
  virtual ~Waiter() = default;
  Waiter(const Waiter &) = delete;
  Waiter &operator=(const Waiter &) = delete;

  [[nodiscard]] virtual QueueId queue() const = 0;
  /// Its caller waits on this very thread.
  [[nodiscard]] virtual bool synchronous() const = 0;
  /// It waits no longer.
  [[nodiscard]] virtual bool done() const = 0;
  [[nodiscard]] virtual std::int64_t min_remaining_ms() const = 0;
  virtual void got_token(std::shared_ptr<const token::Token> token, std::int32_t word, bool from_cache) = 0;
  virtual void got_error(ErrorPtr error) = 0;
};

}  // namespace fleetauth::runtime
