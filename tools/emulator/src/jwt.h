// JWTs as the providers hand them out and take them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "rsa_key.h"

namespace fleetauth::emulator {

// HS256 with a key of its own: nobody can verify it, and two tokens of one second differ, so that revoking the
// first spares the second.
std::string make_jwt(const nlohmann::json &claims);
// RS256 with the key's id in the header.
std::string make_jwt(const nlohmann::json &claims, const RsaKey &key, const std::string &key_id);

struct Jwt {
  nlohmann::json header;
  nlohmann::json claims;
  std::string signed_part;
  std::string signature;
};
// Three parts in base64url, the first two of them JSON objects. Nothing is verified.
std::optional<Jwt> parse_jwt(std::string_view text);

}  // namespace fleetauth::emulator
