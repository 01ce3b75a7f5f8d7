#pragma once

#include <memory>
#include <string_view>

#include "core/base/error.h"
#include "core/base/secret_bytes.h"

struct evp_pkey_st;

namespace fleetauth::crypto {

/// An RSA private key that signs. Immutable: any number of threads may share one. The numbers live in OpenSSL's own memory, which wipes
/// them with the last owner; no other copy stays.
class SigningKey {
 public:
  /// Reads the PEM text (PKCS#8 "PRIVATE KEY" or PKCS#1 "RSA PRIVATE KEY", at most 16 KiB) of one RSA key of two primes, 2048 to 16384
  /// bits, and makes sure that its numbers belong together. Anything else is E_KEY: the message says what was found and what is expected
  /// and never quotes the text. Asks nobody for a passphrase. The text stays the caller's to wipe. E_CRYPTO when OpenSSL fails.
  static Result<std::shared_ptr<const SigningKey>> from_pem(std::string_view pem);

  SigningKey(const SigningKey &) = delete;
  SigningKey &operator=(const SigningKey &) = delete;
  ~SigningKey();

  /// The signature (RSASSA-PKCS1-v1_5 with SHA-256) as bytes, as many as the modulus has. Takes a quarter of a
  /// millisecond or more with 2048 bits, several times that with twice the bits; forks and other calls into OpenSSL wait meanwhile.
  /// E_CRYPTO when OpenSSL fails.
  [[nodiscard]] Result<SecretBytes> sign_rs256(std::string_view bytes) const;

  /// The size of the modulus.
  [[nodiscard]] int bits() const { return bits_; }

 private:
  SigningKey(evp_pkey_st *key, int bits) : key_(key), bits_(bits) {}

  evp_pkey_st *const key_;
  const int bits_;
};

}  // namespace fleetauth::crypto
