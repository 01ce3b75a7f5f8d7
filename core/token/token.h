#pragma once

#include <cstdint>

#include "core/base/clock.h"
#include "core/base/secret_bytes.h"

namespace fleetauth::token {

/// A token with the instants of its life. Immutable once published.
struct Token {
  SecretBytes secret;
  std::int64_t generation = 0;  ///< unique in the process, growing
  BootMs obtained = 0;
  BootMs refresh_at = kNever;    ///< from here on it is stale: still given out, renewed in the background
  BootMs usable_until = kNever;  ///< from here on it is not given out any more
  BootMs expires = kNever;
  WallMs expires_wall = kNever;
  bool after_rejection = false;  ///< obtained because its predecessor was refused
};

}  // namespace fleetauth::token
