#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/base/clock.h"
#include "core/net/retry.h"

namespace fleetauth::net {

/// What keeps one runtime from hammering those who fail: for each route to an origin a breaker and a budget of repeats, and what a provider
/// asked of a client to wait. Not synchronised.
class Restraint {
 public:
  explicit Restraint(Random random) : random_(std::move(random)) {}

  /// How long a request would have to wait at `now`, because those before it failed; 0: it may leave.
  [[nodiscard]] std::int64_t unavailable_ms(const std::string &route, BootMs now) const;
  /// A request leaves. True for the one that probes a route that failed: it is the only one until its outcome is told, or the pause has
  /// passed once more.
  bool take_probe(const std::string &route, BootMs now);
  /// The origin answered, whatever it said. True when its breaker was open, and is no longer.
  bool answered(const std::string &route);
  /// True when its breaker opens.
  bool failed(const std::string &route, bool is_probe, BootMs now);

  /// The provider asked the client of that configuration to wait.
  void hold(const std::string &configuration, const std::string &origin, BootMs until, BootMs now);
  /// How long it still has to; 0 when it need not.
  [[nodiscard]] std::int64_t held_ms(const std::string &configuration, const std::string &origin, BootMs now) const;

  /// Takes a repeat of the request that failed so out of the budget; false when too many were repeated in vain.
  bool spend_for_repeat(const std::string &route, const Error &error, BootMs now);
  /// A request succeeded: there is more to spend.
  void succeeded(const std::string &route);

  /// How many breakers, budgets and holds there are: what is over is forgotten when the next comes.
  [[nodiscard]] std::size_t size() const { return breakers_.size() + budgets_.size() + holds_.size(); }

 private:
  struct Breaker {
    int failures = 0;
    std::int64_t pause_ms = 0;  ///< 0: closed
    BootMs next = 0;            ///< when one may try; in the past while it is closed
    BootMs failed_at = 0;
    [[nodiscard]] bool is_over(BootMs now) const;  ///< it is to be forgotten
  };
  struct Budget {
    int left = 0;  ///< may be more than it holds
    BootMs at = 0;
  };

  /// The breaker of a route if it is open.
  [[nodiscard]] const Breaker *open(const std::string &route, BootMs now) const;
  [[nodiscard]] Budget budget(const std::string &route, BootMs now) const;
  void forget_what_is_over(BootMs now);

  Random random_;
  std::unordered_map<std::string, Breaker> breakers_;  ///< of those that failed last
  std::unordered_map<std::string, Budget> budgets_;    ///< of those that are not full
  std::unordered_map<std::string, BootMs> holds_;
};

}  // namespace fleetauth::net
