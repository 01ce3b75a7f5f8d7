#include "core/runtime/queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/runtime/common_errors.h"
#include "core/runtime/engine.h"
#include "core/runtime/operation.h"

namespace fleetauth::runtime {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// So many wait in a queue at most: whoever takes none must not fill the memory.
constexpr std::size_t kMostNotices = 1000;

}  // namespace

Queue::Queue(std::shared_ptr<Runtime> runtime, Kind kind) : runtime_(std::move(runtime)), kind_(kind) {
  last_.front().kind = EventKind::Closed;
  const auto lock = engine().enter();
  id_ = engine().add_queue(this);
  if (engine().closed()) end();
}

Queue::~Queue() {
  try {
    const auto lock = engine().enter();  // in a fork's child, this queue must not be left as the parent's threads had it
    engine().remove_queue(id_);
    engine().offer_calls_again();
  } catch (...) {  // without memory the calls are offered again a little later
    engine().remove_queue(id_);
    if (engine().forked()) (void)arrived_.release();  // NOLINT(bugprone-unused-return-value): the parent's threads may be waiting on it
  }
}

Engine &Queue::engine() const { return runtime_->engine(); }

Result<Event> Queue::next(std::int64_t timeout_ms) {
  { const auto lock = engine().enter(); }  // in a fork's child: what the parent had in flight fails now
  std::optional<SteadyClock::time_point> until;
  if (timeout_ms >= 0) until = SteadyClock::now() + std::chrono::milliseconds(std::min(timeout_ms, kLongestWaitMs));
  bool driven = false;
  for (;;) {
    if (auto event = pop()) return std::move(*event);
    if (closed()) return common_errors().queue_closed;
    if (driven && until && SteadyClock::now() >= *until) return common_errors().would_block;
    driven = true;
    if (engine().manual()) {
      if (auto error = engine().drive(*this, until)) return error;
      continue;
    }
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return !events_.empty(); };
    if (until) {
      arrived_->wait_until(lock, *until, ready);
    } else {
      arrived_->wait(lock, ready);
    }
  }
}

std::optional<Event> Queue::pop() {
  EventNode taken;
  {
    const std::lock_guard lock(mutex_);
    if (events_.empty()) {
      if (event_) os::drain_event(event_);
      return std::nullopt;
    }
    taken.splice(taken.begin(), events_, events_.begin());
    if (taken.front().kind == EventKind::Notice) --notices_;
    if (events_.empty() && event_) os::drain_event(event_);
  }
  return std::move(taken.front());
}

void Queue::wake() noexcept {
  if (wakeup_ == nullptr) return;
  try {
    wakeup_(user_data_);
  } catch (...) {
    // It was only to signal: the event waits all the same, and nothing of ours is left half done.
  }
}

void Queue::append(EventNode &node) {
  const bool was_empty = events_.empty();
  events_.splice(events_.end(), node);
  if (was_empty) {
    if (event_) os::signal_event(event_);
    wake();
  }
  arrived_->notify_one();
}

bool Queue::push(EventNode &node) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    const bool is_notice = node.front().kind == EventKind::Notice;
    if (is_notice && notices_ == kMostNotices) return true;
    if (is_notice) ++notices_;
    append(node);
  }
  if (engine().manual()) engine().nudge();
  return true;
}

void Queue::end() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    append(last_);
  }
  if (engine().manual()) engine().nudge();
}

int Queue::wakeup_fd() {
  const int driver = engine().manual() ? engine().driver_fd() : -1;
  const std::lock_guard lock(mutex_);
  if (!event_) {
    event_ = os::make_event();
    if (event_ && !events_.empty()) os::signal_event(event_);
  }
  if (!engine().manual()) return event_.get();
  if (both_) return both_.get();
  // In manual mode there is also the network to drive.
  os::Descriptor both = os::make_epoll();
  const bool made = driver >= 0 && event_ && both && os::watch(both, event_.get(), {true, false}) && os::watch(both, driver, {true, false});
  if (made) both_ = std::move(both);
  return both_.get();
}

void Queue::driver_made(net::Driver &driver) {
  const std::lock_guard lock(mutex_);
  if (both_) (void)os::watch(both_, driver.fd(), {true, false});
}

void Queue::set_wakeup(Wakeup wakeup, void *user_data) {
  const std::lock_guard lock(mutex_);
  wakeup_ = wakeup;
  user_data_ = user_data;
  if (!events_.empty()) wake();
}

void Queue::close() {
  const auto lock = engine().enter();
  engine().complete_if([this](const Operation &operation) { return operation.queue() == id_; }, common_errors().cancelled_with_queue);
  end();
  engine().offer_calls_again();
}

bool Queue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

bool Queue::has_events() const {
  const std::lock_guard lock(mutex_);
  return !events_.empty();
}

void Queue::renew_descriptors() noexcept {
  if (!event_) return;
  if (os::Descriptor fresh = os::make_event()) os::replace(event_, std::move(fresh));
  if (!events_.empty()) os::signal_event(event_);
  if (!both_) return;
  os::Descriptor fresh = os::make_epoll();
  if (fresh && os::watch(fresh, event_.get(), {true, false})) os::replace(both_, std::move(fresh));
}

void Queue::rebuild_after_fork() {
  // The condition variable may hold waiters which exist in the parent only: it is left behind, not destroyed.
  auto arrived = std::make_unique<std::condition_variable>();
  (void)arrived_.release();  // NOLINT(bugprone-unused-return-value)
  arrived_ = std::move(arrived);
}

}  // namespace fleetauth::runtime
