// RSA keys for RS256: the emulator's own pairs, and public keys of others.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fleetauth::emulator {

class RsaKey {
 public:
  // 2048 bits; takes a good part of a second on a slow machine.
  static RsaKey generate();
  // Empty unless it is an RSA key of 2048 bits at least.
  static std::optional<RsaKey> from_public_pem(const std::string &pem);

  // PKCS#8, as in Google's key files.
  std::string private_pem() const;
  // RSASSA-PKCS1-v1_5 with SHA-256.
  std::string sign(std::string_view data) const;
  bool verify(std::string_view data, std::string_view signature) const;

 private:
  explicit RsaKey(EVP_PKEY *key) : key_(key, EVP_PKEY_free) {}

  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace fleetauth::emulator
