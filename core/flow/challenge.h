#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/provider/inputs.h"

namespace fleetauth::flow {

/// A provider's question for a one-time code, with all that is needed to answer it later.
struct Challenge {
  std::string credential;
  std::string step;  ///< sends the code
  std::string account;
  std::vector<provider::Echo> echoes;
  WallMs asked = 0;
  std::int64_t lifetime_ms = 0;
  // What becomes of it here; guarded by the engine's mutex.
  mutable std::string bound_to;  ///< the configuration that may answer it
  mutable bool spent = false;    ///< it was answered, or is over
  mutable BootMs ends = 0;       ///< from then on it is too old
};

}  // namespace fleetauth::flow
