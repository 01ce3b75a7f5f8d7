#pragma once

#include <cstddef>
#include <string_view>

#include "core/base/error.h"
#include "core/base/secret_bytes.h"

/// Small secrets at rest, under a key of the caller's. A sealed record is, numbers in little-endian order:
///
///   magic "FLTSEAL\n" | u8 version 1 | u8 cipher 1 (AES-256-GCM) | u16 zero | salt[32] | nonce[12] | commitment[32] | u32 size |
///   ciphertext[size] | tag[16]
///
/// HKDF-SHA256(key, salt, label) yields the cipher's key and the commitment, which tells a wrong key from a damaged record and keeps a
/// record from opening under two keys. Everything before the ciphertext is authenticated, and so is the context (u64 size, bytes).
/// The plaintext is u32 size, the secret and zeros up to a multiple of 256 bytes: lengths tell little.
namespace fleetauth::crypto {

inline constexpr std::size_t kSealKeySize = 32;
inline constexpr std::size_t kMostSealed = 64 * 1024;

/// Seals `secret`, at most kMostSealed bytes. `key` is kSealKeySize bytes which nobody can guess; `label` is a short constant of ours
/// (at most 255 bytes) that says what the record is for; `context` is what the record belongs to and must be repeated when it is opened.
/// E_KEY for a key of another size, E_INVALID_ARGUMENT for a secret or label that is too long, E_CRYPTO when OpenSSL fails. Any thread.
[[nodiscard]] Result<SecretBytes> seal(std::string_view key, std::string_view label, std::string_view context, std::string_view secret);

/// The secret in a sealed record. E_KEY: the key has another size or is not the one (or not the label) it was sealed with. E_CRYPTO: no
/// sealed record, one of a newer version, damaged or moved to another context; the message says which. Any thread.
[[nodiscard]] Result<SecretBytes> open(std::string_view key, std::string_view label, std::string_view context, std::string_view sealed);

}  // namespace fleetauth::crypto
