// JWTs as the providers hand them out.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace fleetauth::emulator {

// HS256 with a key of its own: nobody can verify it, and two tokens of one second differ, so that revoking the
// first spares the second.
std::string make_jwt(const nlohmann::json &claims);

}  // namespace fleetauth::emulator
