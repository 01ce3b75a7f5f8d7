#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/base/clock.h"
#include "core/net/retry.h"

namespace fleetauth::net {

/// What keeps one runtime from hammering those who fail: a breaker for each origin, what a provider asked of a client to wait, and a
/// budget of repeats for all. Not synchronised.
class Restraint {
 public:
  explicit Restraint(Random random) : random_(std::move(random)) {}

  /// How long a request to the origin would have to wait at `now`, because those before it failed; 0: it may leave.
  [[nodiscard]] std::int64_t unavailable_ms(const std::string &origin, BootMs now) const;
  /// A request leaves. True for the one that tries an origin that failed: it is the only one until its outcome is told, or the origin's
  /// pause has passed once more.
  bool leave(const std::string &origin, BootMs now);
  /// The origin answered, whatever it said. True when its breaker was open, and is no longer.
  bool answered(const std::string &origin);
  /// True when its breaker opens.
  bool failed(const std::string &origin, bool tried, BootMs now);

  /// The provider asked the client of that configuration to wait.
  void hold(const std::string &configuration, const std::string &origin, BootMs until, BootMs now);
  /// How long it still has to; 0 when it need not.
  [[nodiscard]] std::int64_t held_ms(const std::string &configuration, const std::string &origin, BootMs now) const;

  /// Takes a repeat of the request that failed so out of the budget; false when too many were repeated in vain.
  bool repeat(const Error &error);
  /// A request succeeded: there is more to spend.
  void succeeded();

 private:
  struct Breaker {
    int failures = 0;
    std::int64_t pause_ms = 0;  ///< 0: closed
    BootMs next = 0;            ///< when one may try, while it is open
  };

  Random random_;
  std::unordered_map<std::string, Breaker> breakers_;  ///< of those that failed last
  std::unordered_map<std::string, BootMs> holds_;
  int budget_ = kBudget;

  static constexpr int kBudget = 50;
};

}  // namespace fleetauth::net
