#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "core/base/error.h"

namespace fleetauth::net {

/// The CA certificates that connections are checked against. Loading a system's bundle takes tens of milliseconds, so a store is
/// made once and shared.
using TrustStore = std::shared_ptr<X509_STORE>;

struct Trust {
  TrustStore store;
  std::string source;  ///< for messages: a path, or "the option ca_pem"
  int certificates = 0;
};

/// Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else anyway.
inline constexpr const char *kTlsCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

/// From `ca_pem` if given, else from `ca_file`, else the system's bundle, which is read once per process.
/// E_CONFIG when a given source cannot be used, E_TLS when the system has no bundle.
Result<Trust> load_trust(const std::string &ca_file, const std::string &ca_pem);

/// What every TLS context of libcurl's is given, in its CURLOPT_SSL_CTX_FUNCTION.
void set_up_tls_context(SSL_CTX *context, const Trust &trust);

}  // namespace fleetauth::net
