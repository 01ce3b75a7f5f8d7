#include "core/base/clock.h"

#include <utility>

#include "core/base/os/clock.h"

namespace fleetauth {
namespace {

class RealClock final : public Clock {
 public:
  [[nodiscard]] BootMs boot_ms() const override { return os::boot_ms(); }
  [[nodiscard]] WallMs wall_ms() const override { return os::wall_ms(); }
};

}  // namespace

std::shared_ptr<Clock> Clock::real() { return std::make_shared<RealClock>(); }

ManualClock::ManualClock(WallMs wall) : wall_(wall) {}

BootMs ManualClock::boot_ms() const { return boot_.load(std::memory_order_acquire); }

WallMs ManualClock::wall_ms() const { return wall_.load(std::memory_order_acquire); }

void ManualClock::advance(std::int64_t ms) { move(ms, ms); }

void ManualClock::step_wall(std::int64_t ms) { move(0, ms); }

void ManualClock::observe(std::weak_ptr<void> owner, std::function<void()> moved) {
  const std::lock_guard lock(mutex_);
  std::erase_if(observers_, [](const Observer &observer) { return observer.owner.expired(); });
  observers_.push_back({std::move(owner), std::move(moved)});
}

void ManualClock::move(std::int64_t boot_ms, std::int64_t wall_ms) {
  std::vector<Observer> observers;
  {
    const std::lock_guard lock(mutex_);
    observers = observers_;  // first: without memory for it the clock stands still
    wall_.fetch_add(wall_ms, std::memory_order_acq_rel);
    boot_.fetch_add(boot_ms, std::memory_order_acq_rel);
  }
  for (const Observer &observer : observers) {
    const std::shared_ptr<void> alive = observer.owner.lock();
    if (alive) observer.moved();
  }
}

}  // namespace fleetauth
