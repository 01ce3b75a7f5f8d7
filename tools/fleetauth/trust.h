#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "tools/fleetauth/client.h"

/// The authorities that servers' certificates have to come from: those that the library trusts.
namespace fleetauth::command {

struct Trust {
  std::shared_ptr<X509_STORE> store;
  std::string source;  ///< for people
  int certificates = 0;
};

/// From ca_pem, ca_file, or where the system has its bundle. Throws LibraryError.
[[nodiscard]] Trust load_trust(const HttpSettings &settings);

/// Trusts nobody.
[[nodiscard]] Trust no_trust();

/// What every TLS context of libcurl's is given, in its CURLOPT_SSL_CTX_FUNCTION.
void set_up(SSL_CTX *context, const Trust &trust);

}  // namespace fleetauth::command
