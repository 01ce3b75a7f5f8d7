#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/base/secret_bytes.h"

namespace fleetauth::crypto {

/// The error for a text that is no usable signing key: E_KEY, "the signing key " + `found` + what is expected. `found` must not
/// quote the text.
[[nodiscard]] ErrorPtr refuse_key(std::string_view found);

/// What stood between BEGIN and END.
struct PemKey {
  SecretBytes der;
  bool pkcs8 = false;  ///< "PRIVATE KEY"; else "RSA PRIVATE KEY" (PKCS#1)
};

/// Reads a text of at most 16 KiB that is one private key in PEM and nothing else but white space. OpenSSL has no part in it: its
/// reader would ask for passphrases and leave copies. E_KEY says what else was found and never quotes it. Any thread.
[[nodiscard]] Result<PemKey> read_pem_key(std::string_view text);

}  // namespace fleetauth::crypto
