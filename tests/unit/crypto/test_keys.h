// Keys made while the tests run, and the texts they come in. Nothing here is committed key material.
#pragma once

#include <openssl/bn.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace fleetauth::crypto::test {

using Key = std::shared_ptr<EVP_PKEY>;

/// One for each size and exponent; made once.
Key rsa(unsigned bits = 2048, unsigned long exponent = 65537);
Key rsa_of_three_primes();
/// Of another algorithm: "EC", "ED25519", "ED448", "X25519", "RSA-PSS", "DSA", "DH".
Key other(const char *algorithm);

std::string pkcs8(const Key &key);
std::string encrypted_pkcs8(const Key &key);
/// "RSA PRIVATE KEY", "EC PRIVATE KEY" and the like; with a passphrase its headers say that it is encrypted.
std::string traditional(const Key &key, bool with_passphrase = false);
std::string public_key(const Key &key);
std::string certificate(const Key &key);
std::string certificate_request(const Key &key);

/// Whether the signature (RS256) is the key's, by its public half.
bool verifies(const Key &key, std::string_view bytes, std::string_view signature);

std::string pem(const std::string &label, std::string_view der);
std::string body_of(const std::string &pem);  ///< the DER in it

/// The numbers of an RSA key, to be falsified and written again.
struct Numbers {
  using Number = std::shared_ptr<BIGNUM>;
  enum Name : std::size_t { n, e, d, p, q, dp, dq, qi, kCount };
  explicit Numbers(const Key &key);
  /// Of any two factors: d, dp, dq and qi are what they would be if these were primes.
  Numbers(const Number &p, const Number &q);

  [[nodiscard]] std::string pkcs1_der(char version = 0) const;
  [[nodiscard]] std::string pkcs1(char version = 0) const { return pem("RSA PRIVATE KEY", pkcs1_der(version)); }

  std::array<Number, kCount> all;
};

Numbers::Number number(unsigned long word);
/// Fit for the exponent 65537; the product of that many primes.
Numbers::Number factor(int bits, int primes = 1);

}  // namespace fleetauth::crypto::test
