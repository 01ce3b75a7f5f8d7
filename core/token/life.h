#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/clock.h"

namespace fleetauth::token {

/// The instants of a token that was obtained at `obtained` and lives for `lifetime_ms` (kNever: without end).
struct Life {
  BootMs refresh_at = kNever;
  BootMs usable_until = kNever;
  BootMs expires = kNever;
};

/// Times before a token's expiry; those that are not set follow from its lifetime.
struct Margins {
  std::optional<std::int64_t> refresh_ms = {};  ///< from here on it is renewed in the background
  std::optional<std::int64_t> last_ms = {};     ///< from here on it is not given out
};

/// Plans a life. Without margins the background renewal begins min(20 % of the life, 5 min) before expiry, an
/// hour for lives above a day, spread by +-10 % of that window so that tokens obtained together are not renewed together;
/// the last min(10 %, 30 s) are not given out. `spread` is a number in [0, 1) that stays the same for a slot.
[[nodiscard]] Life plan_life(BootMs obtained, std::int64_t lifetime_ms, const Margins &margins, double spread);

/// A number in [0, 1) from a slot's key.
[[nodiscard]] double spread_of(std::string_view key);

}  // namespace fleetauth::token
