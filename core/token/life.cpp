#include "core/token/life.h"

#include <algorithm>

namespace fleetauth::token {

namespace {

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kDay = 24 * 3600 * kSecond;

std::int64_t default_margin(std::int64_t lifetime_ms) {
  if (lifetime_ms > kDay) return 3600 * kSecond;
  return std::min(lifetime_ms / 5, 300 * kSecond);
}

}  // namespace

Life plan_life(BootMs obtained, std::int64_t lifetime_ms, const Margins &margins, double spread) {
  if (lifetime_ms >= kNever - obtained) return {};
  const std::int64_t lifetime = std::max<std::int64_t>(lifetime_ms, 0);
  const std::int64_t last = std::min(margins.last_ms.value_or(std::min(lifetime / 10, 30 * kSecond)), lifetime);
  const std::int64_t wanted = margins.refresh_ms.value_or(default_margin(lifetime));
  const auto jitter = static_cast<std::int64_t>(static_cast<double>(wanted) * 0.1 * (2 * spread - 1));
  // A margin close to the whole life would have every answer renewed at once: half of the life is always served in peace.
  const std::int64_t margin = std::clamp(wanted + jitter, last, std::max(last, lifetime / 2));
  Life life;
  life.expires = obtained + lifetime;
  life.usable_until = life.expires - last;
  life.refresh_at = life.expires - margin;
  return life;
}

double spread_of(std::string_view key) {
  std::uint64_t hash = 1469598103934665603ULL;  // FNV-1a
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDULL;  // neighbouring keys must not stay neighbours
  hash ^= hash >> 33;
  return static_cast<double>(hash >> 11) * 0x1.0p-53;
}

}  // namespace fleetauth::token
