#pragma once

#include <optional>
#include <string_view>

#include "core/base/secret_bytes.h"

/// RFC 4648. Everything is taken for a secret. Decoding is strict: no white space, no stray bits, no other alphabet.
namespace fleetauth::base64 {

/// The standard alphabet with padding, as Basic authentication wants it.
void append(SecretBytes &out, std::string_view bytes);
[[nodiscard]] SecretBytes encode(std::string_view bytes);
[[nodiscard]] std::optional<SecretBytes> decode(std::string_view text);

/// The URL alphabet without padding, as JWTs want it.
[[nodiscard]] SecretBytes encode_url(std::string_view bytes);
[[nodiscard]] std::optional<SecretBytes> decode_url(std::string_view text);

}  // namespace fleetauth::base64
