#pragma once

#include <string_view>

#include "core/base/secret_bytes.h"

/// JSON Web Signatures in their compact form (RFC 7515), as unpadded base64url. Nothing here parses JSON: what is given is what is signed.
namespace fleetauth::crypto {

/// What is signed: header "." payload. Any thread.
[[nodiscard]] SecretBytes signing_input(std::string_view header_json, std::string_view payload_json);

/// The whole token: signing input "." signature, whose bytes are raw.
[[nodiscard]] SecretBytes compact(std::string_view signing_input, std::string_view signature);

}  // namespace fleetauth::crypto
