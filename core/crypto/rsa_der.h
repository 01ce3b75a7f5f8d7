#pragma once

#include <array>
#include <string_view>

#include "core/base/error.h"

namespace fleetauth::crypto {

/// The numbers of an RSA private key (RFC 8017, A.1.2), big-endian and without leading zeros: views into the DER they were read from.
/// Nothing but their form has been checked.
struct RsaNumbers {
  enum Name : std::size_t { n, e, d, p, q, dp, dq, qi, kCount };
  std::array<std::string_view, kCount> all;

  [[nodiscard]] std::string_view operator[](Name name) const { return all[name]; }
};

/// Reads a PKCS#8 PrivateKeyInfo (`pkcs8`) or a PKCS#1 RSAPrivateKey, strictly DER, copying nothing. E_KEY says what was found
/// instead, a key of another algorithm for example. Any thread.
[[nodiscard]] Result<RsaNumbers> read_rsa_der(std::string_view der, bool pkcs8);

}  // namespace fleetauth::crypto
