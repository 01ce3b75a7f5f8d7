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
  using Id = std::uint64_t;  ///< 0 is no timer

  Id at(BootMs when, std::function<void()> what) {
    const Id id = ++last_;
    index_.emplace(id, due_.emplace(when, Entry{id, std::move(what)}));
    return id;
  }

  void cancel(Id &id) {
    if (const auto found = index_.find(id); found != index_.end()) {
      due_.erase(found->second);
      index_.erase(found);
    }
    id = 0;
  }

  [[nodiscard]] BootMs next() const { return due_.empty() ? kNever : due_.begin()->first; }
  [[nodiscard]] bool empty() const { return due_.empty(); }

  /// Runs what is due at `now`, in order; what that adds for now or earlier is run as well.
  void run(BootMs now) {
    while (!due_.empty() && due_.begin()->first <= now) {
      auto node = due_.extract(due_.begin());
      index_.erase(node.mapped().id);
      node.mapped().what();
    }
  }

  void clear() {
    due_.clear();
    index_.clear();
  }

 private:
  struct Entry {
    Id id;
    std::function<void()> what;
  };
  using Due = std::multimap<BootMs, Entry>;
  Due due_;
  std::map<Id, Due::iterator> index_;
  Id last_ = 0;
};

}  // namespace fleetauth::runtime
