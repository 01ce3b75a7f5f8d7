#include "tests/fault/hung_resolver.h"

#include <dlfcn.h>
#include <netdb.h>

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
};

// Never destroyed: threads that nobody waits for use it.
Lookups &lookups() {
  static auto *all = new Lookups;
  return *all;
}

int hang() {
  constexpr std::chrono::seconds kPatience{8};
  Lookups &all = lookups();
  std::unique_lock lock(all.mutex);
  ++all.hanging;
  if (!all.changed.wait_for(lock, kPatience, [&all] { return !all.hang; })) ++all.returned;
  --all.hanging;
  all.changed.notify_all();
  return EAI_AGAIN;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service, const addrinfo *hints,
                                                                  addrinfo **result) {
  using GetAddrInfo = int (*)(const char *, const char *, const addrinfo *, addrinfo **);
  static const auto real = reinterpret_cast<GetAddrInfo>(dlsym(RTLD_NEXT, "getaddrinfo"));
  const bool hangs = name != nullptr && std::string_view(name).ends_with("hangs.test");
  return hangs ? hang() : real(name, service, hints, result);
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

}  // namespace fleetauth::test
