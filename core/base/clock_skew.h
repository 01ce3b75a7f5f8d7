#pragma once

#include <cstdint>

namespace fleetauth {

/// What the Date of a provider's answer says of this machine's wall clock.
enum class ClockSkew {
  None,
  Correctable,  ///< the provider's time is gone by instead
  TooGreat,     ///< such a Date is not believed
};

/// `ahead_ms`: the wall clock less the Date, `took_ms` after the request left.
[[nodiscard]] constexpr ClockSkew clock_skew(std::int64_t ahead_ms, std::int64_t took_ms) {
  constexpr std::int64_t kTolerance = 5'000;  // a Date has whole seconds, and answers take their time
  constexpr std::int64_t kMost = std::int64_t{24} * 3600 * 1000;
  if (ahead_ms > kMost || ahead_ms < -kMost) return ClockSkew::TooGreat;
  return ahead_ms >= -kTolerance && ahead_ms <= took_ms + kTolerance ? ClockSkew::None : ClockSkew::Correctable;
}

}  // namespace fleetauth
