#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/secret_bytes.h"

namespace fleetauth::crypto {

/// A SHA-256 value.
using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] inline std::string_view view(const Digest &digest) { return {reinterpret_cast<const char *>(digest.data()), digest.size()}; }

// These throw std::bad_alloc when OpenSSL has no memory; nothing else can fail once initialise() has succeeded.

[[nodiscard]] Digest sha256(std::string_view bytes);
[[nodiscard]] Digest hmac_sha256(std::string_view key, std::string_view bytes);

/// RFC 5869 with SHA-256: `size` bytes, at most 8160.
[[nodiscard]] SecretBytes hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info, std::size_t size);

}  // namespace fleetauth::crypto
