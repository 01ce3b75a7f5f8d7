// A test CA and a server certificate for loopback, made anew at each start.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace fleetauth::emulator {

struct TlsIdentity {
  std::shared_ptr<SSL_CTX> context;
  std::string ca_pem;
  std::string server_pem;
};

// For 127.0.0.1, ::1 and localhost, EC P-256. The server's key lives in the context alone; the CA's key is gone
// when this returns, so nobody can sign with it.
TlsIdentity make_tls_identity();

}  // namespace fleetauth::emulator
