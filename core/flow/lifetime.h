#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/json.h"
#include "core/flow/http.h"
#include "core/provider/descriptor.h"

namespace fleetauth::flow {

struct Lifetime {
  std::int64_t ms = 0;
  bool unknown = false;  ///< nothing could be understood: the descriptor's default was taken
};

/// How long a token lives from the moment of its answer, never less than 0 nor more than the descriptor's maximum. The step's first
/// alternative that yields something decides; if the token is a JWT with an earlier `exp`, that does. `answer` is null for a text answer.
[[nodiscard]] Lifetime read_lifetime(const provider::Life &life, const provider::Step &step, const json::Document *answer,
                                     std::string_view token, WallMs server_time);

}  // namespace fleetauth::flow
