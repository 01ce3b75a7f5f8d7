#include "jwt.h"

#include "crypto.h"

namespace fleetauth::emulator {

std::string make_jwt(const nlohmann::json &claims) {
  const std::string signed_part = base64url_encode(R"({"typ":"JWT","alg":"HS256"})") + "." + base64url_encode(claims.dump());
  return signed_part + "." + base64url_encode(hmac_sha256(random_bytes(32), signed_part));
}

}  // namespace fleetauth::emulator
