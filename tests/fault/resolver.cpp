#include "tests/fault/resolver.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>

namespace {

struct Lookups {
  std::mutex mutex;
  std::condition_variable changed;
  bool hang = false;
  int hanging = 0;
  int returned = 0;
  bool took_signals = true;
};

// Never destroyed: threads that nobody waits for use it.
Lookups &lookups() {
  static auto *all = new Lookups;
  return *all;
}

int hang() {
  constexpr std::chrono::seconds kPatience{8};
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  Lookups &all = lookups();
  std::unique_lock lock(all.mutex);
  all.took_signals = sigismember(&blocked, SIGTERM) == 0 || sigismember(&blocked, SIGSEGV) != 0;
  ++all.hanging;
  if (!all.changed.wait_for(lock, kPatience, [&all] { return !all.hang; })) ++all.returned;
  --all.hanging;
  all.changed.notify_all();
  return EAI_AGAIN;
}

using GetAddrInfo = int (*)(const char *, const char *, const addrinfo *, addrinfo **);

GetAddrInfo real_lookup() {
  static const auto found = reinterpret_cast<GetAddrInfo>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return found;
}

// A chain of the answers for two names.
int look_up_both(const char *first, const char *second, const char *service, const addrinfo *hints, addrinfo **result) {
  addrinfo *rest = nullptr;
  const int code = real_lookup()(first, service, hints, result);
  if (code != 0 || real_lookup()(second, service, hints, &rest) != 0) return code;
  addrinfo *last = *result;
  while (last->ai_next != nullptr) last = last->ai_next;
  last->ai_next = rest;
  return 0;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service, const addrinfo *hints,
                                                                  addrinfo **result) {
  const std::string_view host = name == nullptr ? "" : name;
  if (host == "hangs.test") return hang();
  if (host == "missing.test") return EAI_NONAME;
  if (host == "nobody-answers.test") return EAI_AGAIN;
  if (host == "dual.test") return look_up_both("::1", "127.0.0.1", service, hints, result);
  if (host == "rebound.test") return look_up_both("169.254.169.254", "127.0.0.1", service, hints, result);
  if (host == "unspecified.test") return look_up_both("0.0.0.0", "::1", service, hints, result);
  if (host == "metadata.test") return real_lookup()("169.254.169.254", service, hints, result);
  if (host == "elsewhere.test") return real_lookup()("192.0.2.1", service, hints, result);
  return real_lookup()(name, service, hints, result);
}

namespace fleetauth::test {

HungResolver::HungResolver() {
  const std::lock_guard lock(lookups().mutex);
  lookups().hang = true;
  lookups().returned = 0;
}

HungResolver::~HungResolver() {
  std::unique_lock lock(lookups().mutex);
  lookups().hang = false;
  lookups().changed.notify_all();
  lookups().changed.wait(lock, [] { return lookups().hanging == 0; });
}

int HungResolver::hanging() {
  const std::lock_guard lock(lookups().mutex);
  return lookups().hanging;
}

int HungResolver::returned() {
  const std::lock_guard lock(lookups().mutex);
  return lookups().returned;
}

bool HungResolver::took_signals() {
  const std::lock_guard lock(lookups().mutex);
  return lookups().took_signals;
}

}  // namespace fleetauth::test
