#pragma once

#include <cstdint>

/// Memory that runs out: operator new of the whole program, and the memory functions that the library gives to libcurl and OpenSSL. Only
/// the library's own threads are concerned, and what calls the library by inside().
namespace fleetauth::test {

enum class Whose { Ours, Curls, OpenSsls };

/// While it lives, the allocations number `first` to `last` (from 0) fail.
class Shortage {
 public:
  static constexpr std::int64_t kEnd = INT64_MAX;

  Shortage(Whose whose, std::int64_t first, std::int64_t last);
  ~Shortage();
  Shortage(const Shortage &) = delete;
  Shortage &operator=(const Shortage &) = delete;
  /// So many allocations were asked for so far.
  [[nodiscard]] std::int64_t asked() const;
};

void enter_library(bool in) noexcept;

/// Calls the library: only in here do the allocations of the calling thread fail and count.
template <class Function>
auto inside(Function function) {
  struct Scope {
    Scope() { enter_library(true); }
    ~Scope() { enter_library(false); }
  } const scope;
  return function();
}

/// Blocks that the concerned threads and libcurl hold.
[[nodiscard]] std::int64_t live_blocks();

}  // namespace fleetauth::test
