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
};

/// From `ca_pem` if given, else from `ca_file`, else the system's bundle, which is read once per process.
/// E_CONFIG when a given source cannot be used, E_TLS when the system has no bundle.
Result<Trust> load_trust(const std::string &ca_file, const std::string &ca_pem);

}  // namespace fleetauth::net
