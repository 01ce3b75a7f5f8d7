#pragma once

#include <optional>

#include "core/flow/http.h"

namespace fleetauth::flow {

/// The answer's Date, if it has one that can be read.
[[nodiscard]] std::optional<WallMs> date_of(const HttpResponse &response);

/// What time the server thinks it is: the answer's Date, else what is known of its clock. Absolute times of a server are measured against
/// it.
[[nodiscard]] WallMs server_time(const HttpResponse &response, const Now &now);

}  // namespace fleetauth::flow
