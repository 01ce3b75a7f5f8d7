#include "core/net/lookup.h"

#include <netdb.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace fleetauth::net {
namespace {

// What lookups came to, each host in the place its hash gives it; another host may take the place, and then nothing is known.
std::array<std::atomic<std::uint64_t>, 64> g_notes;

std::uint64_t hash(std::string_view host) noexcept {
  std::uint64_t value = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : host) value = (value ^ static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c)) * 0x100000001b3;
  return value | 1;  // never the 0 of an empty place
}

std::uint64_t note(std::uint64_t hash, bool no_name) noexcept { return no_name ? hash : hash & ~std::uint64_t{1}; }

std::atomic<std::uint64_t> &place_of(std::uint64_t hash) noexcept { return g_notes[(hash >> 1) % g_notes.size()]; }

}  // namespace

void forget_lookup(std::string_view host) noexcept {
  const std::uint64_t wanted = hash(host);
  if (place_of(wanted).load(std::memory_order_acquire) == note(wanted, true)) place_of(wanted).store(0, std::memory_order_release);
}

bool is_no_name(std::string_view host) noexcept {
  const std::uint64_t wanted = hash(host);
  return place_of(wanted).load(std::memory_order_acquire) == note(wanted, true);
}

}  // namespace fleetauth::net

extern "C" int fleetauth_look_up(const char *name, const char *service, const addrinfo *hints, addrinfo **result) {
  using namespace fleetauth::net;
  const int code = ::getaddrinfo(name, service, hints, result);
  if (name != nullptr) {
    const std::uint64_t host = hash(name);
    place_of(host).store(note(host, code == EAI_NONAME), std::memory_order_release);
  }
  return code;
}
