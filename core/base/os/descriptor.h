#pragma once

#include <cstdint>
#include <utility>

namespace fleetauth::os {

/// Owns a file descriptor; -1 is none.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor &operator=(Descriptor &&other) noexcept;
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  ~Descriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

// All are close-on-exec and do not block. Without descriptors left they are empty.

/// A counter that is readable while it is not zero.
[[nodiscard]] Descriptor make_event() noexcept;
/// Makes it readable. Async-signal-safe.
void signal_event(const Descriptor &event) noexcept;
/// Makes it unreadable again.
void drain_event(const Descriptor &event) noexcept;

/// Has `kept` keep its number but mean what `fresh` means.
void replace(const Descriptor &kept, Descriptor fresh) noexcept;

/// A timer of CLOCK_BOOTTIME, readable once it is due.
[[nodiscard]] Descriptor make_timer() noexcept;
/// Sets it to an instant in milliseconds; INT64_MAX stops it. An instant that has passed makes it due at once.
void set_timer(const Descriptor &timer, std::int64_t at_boot_ms) noexcept;

[[nodiscard]] Descriptor make_epoll() noexcept;

struct Interest {
  bool read = false;
  bool write = false;
  friend bool operator==(const Interest &, const Interest &) = default;
};
/// Adds `fd` or changes what is wanted of it. False when the kernel has no room.
[[nodiscard]] bool watch(const Descriptor &epoll, int fd, Interest interest) noexcept;
void unwatch(const Descriptor &epoll, int fd) noexcept;

struct Readiness {
  int fd = -1;
  bool read = false;
  bool write = false;
  bool error = false;
};
/// Waits at most `timeout_ms` (-1 without limit) and fills up to `capacity` entries; 0 also when a signal came.
[[nodiscard]] int wait_ready(const Descriptor &epoll, Readiness *ready, int capacity, std::int64_t timeout_ms) noexcept;

}  // namespace fleetauth::os
