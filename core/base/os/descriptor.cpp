#include "core/base/os/descriptor.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace fleetauth::os {

Descriptor &Descriptor::operator=(Descriptor &&other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Descriptor::reset() noexcept {
  if (fd_ >= 0) close(std::exchange(fd_, -1));  // never again after EINTR: Linux has released the number by then
}

Descriptor make_event() noexcept { return Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

void signal_event(const Descriptor &event) noexcept {
  const int saved = errno;
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then it is readable already.
  while (write(event.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  errno = saved;
}

void drain_event(const Descriptor &event) noexcept {
  std::uint64_t count = 0;
  while (read(event.get(), &count, sizeof count) < 0 && errno == EINTR) {
  }
}

void replace(const Descriptor &kept, Descriptor fresh) noexcept { (void)::dup3(fresh.get(), kept.get(), O_CLOEXEC); }

Descriptor make_timer() noexcept { return Descriptor(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)); }

void set_timer(const Descriptor &timer, std::int64_t at_boot_ms) noexcept {
  itimerspec when{};
  if (at_boot_ms != INT64_MAX) {
    const std::int64_t at = std::max<std::int64_t>(at_boot_ms, 1);  // all zero would stop it
    when.it_value.tv_sec = static_cast<time_t>(at / 1000);
    when.it_value.tv_nsec = static_cast<long>(at % 1000) * 1'000'000;
  }
  timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

Descriptor make_epoll() noexcept { return Descriptor(epoll_create1(EPOLL_CLOEXEC)); }

bool watch(const Descriptor &epoll, int fd, Interest interest) noexcept {
  epoll_event event{};
  event.events = (interest.read ? EPOLLIN : 0U) | (interest.write ? EPOLLOUT : 0U);
  event.data.fd = fd;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0) return true;
  return errno == EEXIST && epoll_ctl(epoll.get(), EPOLL_CTL_MOD, fd, &event) == 0;
}

void unwatch(const Descriptor &epoll, int fd) noexcept { epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd, nullptr); }

int wait_ready(const Descriptor &epoll, Readiness *ready, int capacity, std::int64_t timeout_ms) noexcept {
  std::array<epoll_event, 64> events;
  const int room = std::min(capacity, static_cast<int>(events.size()));
  const int timeout = static_cast<int>(std::clamp<std::int64_t>(timeout_ms, -1, INT_MAX));
  const int count = std::max(0, epoll_wait(epoll.get(), events.data(), room, timeout));
  for (int i = 0; i < count; ++i) {
    const epoll_event &event = events[static_cast<std::size_t>(i)];
    ready[i] = {event.data.fd, (event.events & (EPOLLIN | EPOLLHUP)) != 0, (event.events & (EPOLLOUT | EPOLLHUP)) != 0,
                (event.events & EPOLLERR) != 0};
  }
  return count;
}

}  // namespace fleetauth::os
