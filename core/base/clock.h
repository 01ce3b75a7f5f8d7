#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace fleetauth {

/// Milliseconds of CLOCK_BOOTTIME: counts through suspend, never steps. What lifetimes and deadlines are measured by.
using BootMs = std::int64_t;
/// Milliseconds since 1970 by the wall clock, which may step. Shown to people and compared with providers' absolute times.
using WallMs = std::int64_t;

inline constexpr std::int64_t kNever = INT64_MAX;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual BootMs boot_ms() const = 0;
  [[nodiscard]] virtual WallMs wall_ms() const = 0;
  /// Null for the real clock.
  [[nodiscard]] virtual class ManualClock *manual() { return nullptr; }

  [[nodiscard]] static std::shared_ptr<Clock> real();
};

/// Stands still until it is moved. Observers learn of a move before it returns.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallMs wall);
  [[nodiscard]] BootMs boot_ms() const override;
  [[nodiscard]] WallMs wall_ms() const override;
  [[nodiscard]] ManualClock *manual() override { return this; }

  void advance(std::int64_t ms);
  void step_wall(std::int64_t ms);

  /// `moved` is called on the thread that moves the clock, outside the clock's lock, while `owner` lives.
  void observe(std::weak_ptr<void> owner, std::function<void()> moved);

 private:
  struct Observer {
    std::weak_ptr<void> owner;
    std::function<void()> moved;
  };
  void move(std::int64_t boot_ms, std::int64_t wall_ms);

  std::atomic<BootMs> boot_{0};
  std::atomic<WallMs> wall_;
  std::mutex mutex_;
  std::vector<Observer> observers_;
};

}  // namespace fleetauth
