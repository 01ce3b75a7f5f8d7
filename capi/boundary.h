#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "fleetauth/fleetauth.h"

// What the generated thunks (capi/gen) and the hand-written bodies (capi/src) say to each other.
namespace fleetauth::capi {

/// Text or bytes lent to the caller. `data` may be null; text is followed by a NUL.
struct Borrowed {
  const char *data = nullptr;
  std::size_t size = 0;
};

/// The caller's memory to fill. The body always sets `length` to what is needed.
struct Buffer {
  std::uint8_t *data;  ///< not null unless `capacity` is 0
  std::size_t capacity;
  std::size_t &length;
};

[[nodiscard]] bool valid_utf8(std::string_view text) noexcept;

/// A new error handle which owns a reference to `error`, which is not null.
[[nodiscard]] fleetauth_error *wrap(ErrorPtr error);

}  // namespace fleetauth::capi
