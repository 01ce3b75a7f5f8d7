#pragma once

#include <optional>
#include <string_view>

#include "core/base/clock.h"

namespace fleetauth {

/// An HTTP-date in any of the three forms of RFC 9110 5.6.7.
[[nodiscard]] std::optional<WallMs> parse_http_date(std::string_view text);

/// A date and time of RFC 3339, 0 to 9 fraction digits; without a zone only if `no_zone_is_utc`.
[[nodiscard]] std::optional<WallMs> parse_rfc3339(std::string_view text, bool no_zone_is_utc);

}  // namespace fleetauth
