#pragma once

#include "core/flow/http.h"

namespace fleetauth::flow {

/// What time the server thinks it is: the answer's Date, else our wall clock. Absolute times of a server are measured against it.
[[nodiscard]] WallMs server_time(const HttpResponse &response, const Now &now);

}  // namespace fleetauth::flow
