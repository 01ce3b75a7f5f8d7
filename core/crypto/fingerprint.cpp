#include "core/crypto/fingerprint.h"

#include <array>
#include <cstdint>

#include "core/crypto/digest.h"
#include "core/crypto/random.h"

namespace fleetauth::crypto {
namespace {

// Made at the first use, kept for the life of the process.
std::string_view process_key() {
  static const std::array<char, 32> key = [] {
    std::array<char, 32> bytes{};
    random_bytes(bytes.data(), bytes.size());
    return bytes;
  }();
  return {key.data(), key.size()};
}

}  // namespace

std::string fingerprint(std::string_view secret) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const Digest digest = hmac_sha256(process_key(), secret);
  std::string name = "tok:";
  for (std::size_t i = 0; i < 4; ++i) {
    name.push_back(kHex[digest[i] >> 4]);
    name.push_back(kHex[digest[i] & 15]);
  }
  return name;
}

std::string keyed_digest(std::string_view bytes) { return std::string(view(hmac_sha256(process_key(), bytes))); }

}  // namespace fleetauth::crypto
