#include "core/runtime/login_guard.h"

#include <algorithm>
#include <new>
#include <utility>

namespace fleetauth::runtime {

namespace {

/// So many logins are remembered at most.
constexpr std::size_t kMost = 1000;

}  // namespace

void LoginGuard::refused(const std::string &login, const ErrorPtr &error, int tolerated) {
  accepted_.erase(login);
  Refusals latest{login, 1, nullptr};
  const auto older = std::find_if(refused_.begin(), refused_.end(), [&](const Refusals &entry) { return entry.login == login; });
  const bool known = older != refused_.end();
  if (known) latest.times += older->times;
  if (latest.times > tolerated) latest.error = error;
  refused_.reserve(refused_.size() + 1);
  if (known) {
    forgive(login);
  } else if (refused_.size() >= kMost) {
    refused_.erase(refused_.begin());
  }
  refused_.push_back(std::move(latest));
}

void LoginGuard::accepted(const std::string &login) noexcept {
  forgive(login);
  if (accepted_.size() >= kMost) accepted_.clear();
  try {
    accepted_.insert(login);
  } catch (const std::bad_alloc &) {  // NOLINT(bugprone-empty-catch): who is not remembered waits for his turn once more
  }
}

void LoginGuard::forgive(const std::string &login) {
  std::erase_if(refused_, [&](const Refusals &entry) { return entry.login == login; });
}

ErrorPtr LoginGuard::locked_out(const std::string &login) const {
  const auto found = std::find_if(refused_.begin(), refused_.end(), [&](const Refusals &entry) { return entry.login == login; });
  return found == refused_.end() ? nullptr : found->error;
}

bool LoginGuard::enter(const std::string &login, const std::shared_ptr<Flight> &flight) {
  if (accepted_.contains(login)) return true;
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

}  // namespace fleetauth::runtime
