#include "core/runtime/login_guard.h"

#include <algorithm>
#include <new>
#include <utility>

namespace fleetauth::runtime {

namespace {

/// So many logins are remembered at most.
constexpr std::size_t kMost = 1000;

/// A password that was right so long ago may have been changed.
constexpr std::int64_t kAcceptedMs = 60'000;

}  // namespace

void LoginGuard::refused(const std::string &login, const ErrorPtr &error, int tolerated) {
  accepted_.erase(login);
  if (refused_.size() >= kMost && !refused_.contains(login)) {
    const auto older = [](const auto &a, const auto &b) { return a.second.order < b.second.order; };
    refused_.erase(std::min_element(refused_.begin(), refused_.end(), older));
  }
  Refusals &refusals = refused_[login];
  refusals.order = ++refusals_;
  if (++refusals.times > tolerated) refusals.error = error;
}

void LoginGuard::accepted(const std::string &login, BootMs now) noexcept {
  forgive(login);
  try {
    if (accepted_.size() >= kMost) accepted_.clear();
    accepted_[login] = now + kAcceptedMs;
  } catch (const std::bad_alloc &) {  // NOLINT(bugprone-empty-catch): who is not remembered waits for his turn once more
  }
}

void LoginGuard::forgive(const std::string &login) { refused_.erase(login); }

ErrorPtr LoginGuard::locked_out(const std::string &login) const {
  const auto found = refused_.find(login);
  return found == refused_.end() ? nullptr : found->second.error;
}

bool LoginGuard::enter(const std::string &login, const std::shared_ptr<Flight> &flight, BootMs now) {
  const auto accepted = accepted_.find(login);
  if (accepted != accepted_.end() && now < accepted->second) return true;
  Turn &turn = turns_[login];
  const auto first = turn.first.lock();
  if (first == flight) return true;
  if (first != nullptr) {
    turn.waiting.push_back(flight);
    return false;
  }
  turn.first = flight;
  return true;
}

std::vector<std::weak_ptr<Flight>> LoginGuard::leave(const std::string &login, const Flight &flight) noexcept {
  const auto turn = turns_.find(login);
  if (turn == turns_.end() || turn->second.first.lock().get() != &flight) return {};
  auto waiting = std::move(turn->second.waiting);
  turns_.erase(turn);
  return waiting;
}

std::shared_ptr<std::int64_t> LoginGuard::code_period(const std::string &login) {
  auto &period = code_periods_[login];
  if (period != nullptr) return period;
  if (code_periods_.size() > kMost) {
    std::erase_if(code_periods_, [](const auto &entry) { return entry.second.use_count() == 1; });
  }
  return code_periods_[login] = std::make_shared<std::int64_t>(-1);
}

}  // namespace fleetauth::runtime
