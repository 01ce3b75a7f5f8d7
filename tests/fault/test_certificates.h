#pragma once

#include <openssl/types.h>

#include <chrono>
#include <memory>
#include <string>

namespace fleetauth::test {

/// A certificate with its key, made when the test runs.
struct Identity {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> certificate;

  [[nodiscard]] std::string pem() const;
};

/// What a certificate says; the defaults are those of a good one for this machine.
struct CertificateRequest {
  std::string alt_names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  std::chrono::seconds valid_from = std::chrono::hours(-1);  ///< from now
  std::chrono::seconds valid_until = std::chrono::hours(1);
  std::string usage = "serverAuth";
  int rsa_bits = 0;  ///< 0 = an elliptic curve
  bool sha1 = false;
};

/// A certificate authority that lives as long as the test.
class TestCa {
 public:
  explicit TestCa(const std::string &name = "Test CA");
  [[nodiscard]] std::string pem() const { return self_.pem(); }
  [[nodiscard]] Identity issue(const CertificateRequest &request = {}) const;
  [[nodiscard]] static Identity self_signed(const CertificateRequest &request = {});

 private:
  Identity self_;
};

}  // namespace fleetauth::test
