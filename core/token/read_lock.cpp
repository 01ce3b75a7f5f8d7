#include "core/token/read_lock.h"

#include <array>
#include <thread>

namespace fleetauth::token {

namespace {

constexpr std::uint32_t kStripes = 16;

// Two cache lines: processors fetch them in pairs.
struct alignas(128) Stripe {
  std::atomic<std::int32_t> held{0};
};

std::array<Stripe, kStripes> g_stripes;
std::atomic<std::uint32_t> g_next_thread{0};

#if defined(__GLIBC__)
// The library is never unloaded and needs four bytes: the fast model is safe even when it is loaded late.
__attribute__((tls_model("initial-exec")))
#endif
thread_local std::uint32_t t_stripe = 0;  // 0 = not chosen yet

std::atomic<std::int32_t> &own_stripe() noexcept {
  if (t_stripe == 0) t_stripe = 1 + g_next_thread.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return g_stripes[t_stripe - 1].held;
}

void lock(std::atomic<std::int32_t> &held) noexcept {
  while (held.exchange(1, std::memory_order_acquire) != 0) {
    // The holder copies a token or was preempted doing so; giving way is better than spinning on few cores.
    for (int spins = 0; held.load(std::memory_order_relaxed) != 0; ++spins) {
      if (spins > 100) std::this_thread::yield();
    }
  }
}

void unlock(std::atomic<std::int32_t> &held) noexcept { held.store(0, std::memory_order_release); }

}  // namespace

ReadGuard::ReadGuard() noexcept : stripe_(own_stripe()) { lock(stripe_); }
ReadGuard::~ReadGuard() { unlock(stripe_); }
WriteGuard::WriteGuard() noexcept { lock_all_readers(); }
WriteGuard::~WriteGuard() { unlock_all_readers(); }

void lock_all_readers() noexcept {
  for (Stripe &stripe : g_stripes) lock(stripe.held);
}

void unlock_all_readers() noexcept {
  for (Stripe &stripe : g_stripes) unlock(stripe.held);
}

}  // namespace fleetauth::token
