#include "core/net/restraint.h"

#include <algorithm>

namespace fleetauth::net {
namespace {

/// So many failures in a row open a breaker.
constexpr int kTolerated = 5;
constexpr std::int64_t kFirstPauseMs = 5'000;
constexpr std::int64_t kLongestPauseMs = 60'000;
/// So much of a pause is added at random, or all processes would try at the same instant.
constexpr double kSpread = 0.2;

constexpr int kRepeatCost = 5;
constexpr int kTimeoutCost = 10;

std::string held_name(const std::string &configuration, const std::string &origin) { return configuration + " " + origin; }

}  // namespace

std::int64_t Restraint::unavailable_ms(const std::string &origin, BootMs now) const {
  const auto found = breakers_.find(origin);
  return found == breakers_.end() || found->second.pause_ms == 0 ? 0 : std::max<std::int64_t>(0, found->second.next - now);
}

bool Restraint::leave(const std::string &origin, BootMs now) {
  const auto found = breakers_.find(origin);
  if (found == breakers_.end() || found->second.pause_ms == 0) return false;
  found->second.next = now + found->second.pause_ms;
  return true;
}

bool Restraint::answered(const std::string &origin) {
  const auto found = breakers_.find(origin);
  if (found == breakers_.end()) return false;
  const bool was_open = found->second.pause_ms != 0;
  breakers_.erase(found);
  return was_open;
}

bool Restraint::failed(const std::string &origin, bool tried, BootMs now) {
  Breaker &breaker = breakers_[origin];
  ++breaker.failures;
  const bool opens = breaker.pause_ms == 0 && breaker.failures >= kTolerated;
  if (!opens && !tried) return false;  // others that were on their way when it opened say nothing new
  breaker.pause_ms = std::clamp(2 * breaker.pause_ms, kFirstPauseMs, kLongestPauseMs);
  breaker.next = now + breaker.pause_ms + static_cast<std::int64_t>(random_() * kSpread * static_cast<double>(breaker.pause_ms));
  return opens;
}

void Restraint::hold(const std::string &configuration, const std::string &origin, BootMs until, BootMs now) {
  std::erase_if(holds_, [now](const auto &held) { return held.second <= now; });
  BootMs &held = holds_[held_name(configuration, origin)];
  held = std::max(held, until);
}

std::int64_t Restraint::held_ms(const std::string &configuration, const std::string &origin, BootMs now) const {
  if (holds_.empty()) return 0;
  const auto found = holds_.find(held_name(configuration, origin));
  return found == holds_.end() ? 0 : std::max<std::int64_t>(0, found->second - now);
}

bool Restraint::repeat(const Error &error) {
  const int cost = error.status == Status::Timeout ? kTimeoutCost : kRepeatCost;
  if (budget_ < cost) return false;
  budget_ -= cost;
  return true;
}

void Restraint::succeeded() { budget_ = std::min(budget_ + 1, kBudget); }

}  // namespace fleetauth::net
