#pragma once

#include <atomic>
#include <cstdint>

namespace fleetauth::token {

/// The lock that published pointers are read under: striped by thread, so that readers on different threads share no cache line.
/// A reader holds one stripe for the time of a copy; a writer, who is rare, takes all. Leaf lock: nothing is locked, allocated or
/// released while it is held. One for the process.
class ReadGuard {
 public:
  ReadGuard() noexcept;
  ~ReadGuard();
  ReadGuard(const ReadGuard &) = delete;
  ReadGuard &operator=(const ReadGuard &) = delete;

 private:
  std::atomic<std::int32_t> &stripe_;
};

class WriteGuard {
 public:
  WriteGuard() noexcept;
  ~WriteGuard();
  WriteGuard(const WriteGuard &) = delete;
  WriteGuard &operator=(const WriteGuard &) = delete;
};

/// What the fork handlers need: the whole lock, taken in the parent before and let go in both after.
void lock_all_readers() noexcept;
void unlock_all_readers() noexcept;

}  // namespace fleetauth::token
