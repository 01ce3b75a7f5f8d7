// The emulator's own cryptography, over OpenSSL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fleetauth::emulator {

std::string random_bytes(std::size_t count);
// Two upper-case or lower-case digits a byte.
std::string random_hex(std::size_t bytes, bool upper_case = false);

std::string sha256(std::string_view data);
std::string hmac_sha256(std::string_view key, std::string_view data);

// The six digits of RFC 6238 (HMAC-SHA-1) for the time step, which is Unix seconds / 30 by default.
std::string totp(std::string_view key, std::uint64_t step);

// How a token is named in logs and in the admin API: the first 8 hex digits of its SHA-256.
std::string fingerprint(std::string_view token);

bool equal_constant_time(std::string_view a, std::string_view b);

std::string base64_encode(std::string_view data);
// Canonical, padded base64 only.
std::optional<std::string> base64_decode(std::string_view text);
// Without padding, as in a JWT.
std::string base64url_encode(std::string_view data);
// Canonical and without padding.
std::optional<std::string> base64url_decode(std::string_view text);
// RFC 4648, in either case, padded or not.
std::optional<std::string> base32_decode(std::string_view text);

}  // namespace fleetauth::emulator
