#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
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

  /// Has a timer run at another instant, or again if it is running. Needs no memory.
  void move(Id &id, BootMs when) {
    auto node = due_.extract(id);
    id.when = when;
    if (id.order == running_) again_ = when;
    if (node.empty()) return;
    node.key().when = when;
    due_.insert(std::move(node));
  }

  void cancel(Id &id) {
    due_.erase(id);
    if (id.order == running_) again_.reset();
    id = {};
  }

  [[nodiscard]] BootMs next() const { return due_.empty() ? kNever : due_.begin()->first.when; }
  [[nodiscard]] bool empty() const { return due_.empty(); }

  /// Runs what is due at `now`, in order; what that adds for now or earlier is run as well.
  void run(BootMs now) {
    while (!due_.empty() && due_.begin()->first.when <= now) {
      auto node = due_.extract(due_.begin());
      running_ = node.key().order;
      again_.reset();
      node.mapped()();
      running_ = 0;
      if (!again_) continue;
      node.key().when = *again_;
      due_.insert(std::move(node));
    }
  }

  void clear() { due_.clear(); }

 private:
  std::map<Id, std::function<void()>> due_;
  std::uint64_t last_ = 0;
  std::uint64_t running_ = 0;  ///< the order of the one that runs
  std::optional<BootMs> again_;
};

}  // namespace fleetauth::runtime
