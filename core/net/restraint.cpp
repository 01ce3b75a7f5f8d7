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

/// A failure so long ago is not one in a row with the next.
constexpr std::int64_t kMemoryMs = 10 * 60'000;

constexpr int kBudget = 50;
constexpr int kRepeatCost = 5;
constexpr int kTimeoutCost = 10;
/// A budget grows by one in this time, also without success: else one outage would cost the repeats of all the next hours.
constexpr std::int64_t kRefillMs = 10'000;

std::string held_name(const std::string &configuration, const std::string &origin) { return configuration + " " + origin; }

}  // namespace

std::int64_t Restraint::unavailable_ms(const std::string &route, BootMs now) const {
  const Breaker *breaker = open(route, now);
  return breaker == nullptr ? 0 : std::max<std::int64_t>(0, breaker->next - now);
}

bool Restraint::take_probe(const std::string &route, BootMs now) {
  if (open(route, now) == nullptr) return false;
  Breaker &breaker = breakers_[route];
  breaker.next = now + breaker.pause_ms;
  return true;
}

bool Restraint::answered(const std::string &route) {
  const auto found = breakers_.find(route);
  if (found == breakers_.end()) return false;
  const bool was_open = found->second.pause_ms != 0;
  breakers_.erase(found);
  return was_open;
}

bool Restraint::failed(const std::string &route, bool is_probe, BootMs now) {
  forget_what_is_over(now);
  Breaker &breaker = breakers_[route];
  ++breaker.failures;
  breaker.failed_at = now;
  const bool opens = breaker.pause_ms == 0 && breaker.failures >= kTolerated;
  if (!opens && !is_probe) return false;  // others that were on their way when it opened say nothing new
  breaker.pause_ms = std::clamp(2 * breaker.pause_ms, kFirstPauseMs, kLongestPauseMs);
  breaker.next = now + breaker.pause_ms + static_cast<std::int64_t>(random_() * kSpread * static_cast<double>(breaker.pause_ms));
  return opens;
}

void Restraint::hold(const std::string &configuration, const std::string &origin, BootMs until, BootMs now) {
  forget_what_is_over(now);
  BootMs &held = holds_[held_name(configuration, origin)];
  held = std::max(held, until);
}

std::int64_t Restraint::held_ms(const std::string &configuration, const std::string &origin, BootMs now) const {
  const auto found = holds_.find(held_name(configuration, origin));
  return found == holds_.end() ? 0 : std::max<std::int64_t>(0, found->second - now);
}

bool Restraint::Breaker::is_over(BootMs now) const { return now - std::max(failed_at, next) > kMemoryMs; }

Restraint::Budget Restraint::budget(const std::string &route, BootMs now) const {
  const auto found = budgets_.find(route);
  if (found == budgets_.end()) return {kBudget, now};
  const std::int64_t grown = (now - found->second.at) / kRefillMs;
  return {static_cast<int>(std::min<std::int64_t>(found->second.left + grown, kBudget)), found->second.at + grown * kRefillMs};
}

bool Restraint::spend_for_repeat(const std::string &route, const Error &error, BootMs now) {
  forget_what_is_over(now);
  const int cost = error.status == Status::Timeout ? kTimeoutCost : kRepeatCost;
  const Budget budget = this->budget(route, now);
  if (budget.left < cost) return false;
  budgets_[route] = {budget.left - cost, budget.at};
  return true;
}

void Restraint::succeeded(const std::string &route) {
  if (const auto found = budgets_.find(route); found != budgets_.end()) ++found->second.left;
}

const Restraint::Breaker *Restraint::open(const std::string &route, BootMs now) const {
  const auto found = breakers_.find(route);
  const bool is_open = found != breakers_.end() && found->second.pause_ms != 0 && !found->second.is_over(now);
  return is_open ? &found->second : nullptr;
}

void Restraint::forget_what_is_over(BootMs now) {
  std::erase_if(breakers_, [now](const auto &entry) { return entry.second.is_over(now); });
  std::erase_if(budgets_, [now, this](const auto &entry) { return budget(entry.first, now).left == kBudget; });
  std::erase_if(holds_, [now](const auto &entry) { return entry.second <= now; });
}

}  // namespace fleetauth::net
