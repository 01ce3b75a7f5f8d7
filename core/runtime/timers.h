#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "core/base/clock.h"

namespace fleetauth::runtime {

/// Things to do at instants of the runtime's clock. Guarded by the engine's mutex.
class Timers {
 public:
  /// Names a timer; empty for none.
  struct Id {
    BootMs when = 0;
    std::uint64_t order = 0;
    explicit operator bool() const { return order != 0; }
    friend bool operator<(const Id &a, const Id &b) { return a.when != b.when ? a.when < b.when : a.order < b.order; }
  };

  Id at(BootMs when, std::function<void()> what) {
    const Id id{when, ++last_};
    due_.emplace(id, std::move(what));
    return id;
  }

  void cancel(Id &id) {
    due_.erase(id);
    id = {};
  }

  [[nodiscard]] BootMs next() const { return due_.empty() ? kNever : due_.begin()->first.when; }
  [[nodiscard]] bool empty() const { return due_.empty(); }

  /// Runs what is due at `now`, in order; what that adds for now or earlier is run as well.
  void run(BootMs now) {
    while (!due_.empty() && due_.begin()->first.when <= now) due_.extract(due_.begin()).mapped()();
  }

  void clear() { due_.clear(); }

 private:
  std::map<Id, std::function<void()>> due_;
  std::uint64_t last_ = 0;
};

}  // namespace fleetauth::runtime
