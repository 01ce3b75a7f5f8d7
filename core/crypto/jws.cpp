#include "core/crypto/jws.h"

#include "core/base/base64.h"

namespace fleetauth::crypto {

SecretBytes signing_input(std::string_view header_json, std::string_view payload_json) {
  return compact(base64::encode_url(header_json).view(), payload_json);
}

SecretBytes compact(std::string_view signing_input, std::string_view signature) {
  const SecretBytes encoded = base64::encode_url(signature);
  SecretBytes token;
  token.reserve(signing_input.size() + 1 + encoded.size());
  token.append(signing_input);
  token.append(".");
  token.append(encoded.view());
  return token;
}

}  // namespace fleetauth::crypto
