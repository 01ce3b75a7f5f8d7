#include "tools/fleetauth/trust.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>

namespace fleetauth::command {

namespace {

// Where distributions keep their bundle: the same as the library's.
constexpr std::array kSystemBundles = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                       "/etc/ssl/cert.pem"};

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

/// Adds every certificate, and says how many; -1 when one is damaged.
int add_all(X509_STORE *store, BIO *pem) {
  ERR_clear_error();
  int count = 0;
  while (true) {
    const std::unique_ptr<X509, decltype(&X509_free)> one(PEM_read_bio_X509_AUX(pem, nullptr, nullptr, nullptr), X509_free);
    if (one == nullptr) break;
    if (X509_STORE_add_cert(store, one.get()) != 1) return -1;
    ++count;
  }
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE ? count : -1;
}

Trust load(const Bio &pem, const std::string &source) {
  if (pem == nullptr) throw LibraryError(FLEETAUTH_E_CONFIG, source + " cannot be read: " + ::strerror(errno));
  Trust trust = no_trust();
  trust.source = source;
  trust.certificates = add_all(trust.store.get(), pem.get());
  if (trust.certificates < 0) throw LibraryError(FLEETAUTH_E_CONFIG, source + " holds a damaged certificate");
  if (trust.certificates == 0) throw LibraryError(FLEETAUTH_E_CONFIG, source + " holds no certificate");
  return trust;
}

Bio file(const char *path) {
  errno = 0;
  return {BIO_new_file(path, "r"), BIO_free};
}

}  // namespace

Trust no_trust() {
  Trust trust;
  trust.store.reset(X509_STORE_new(), X509_STORE_free);
  if (trust.store == nullptr) throw std::bad_alloc();
  X509_STORE_set_flags(trust.store.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  return trust;
}

Trust load_trust(const HttpSettings &settings) {
  const std::string &pem = settings.ca_pem;
  if (!pem.empty()) return load(Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free), "the option ca_pem");
  if (!settings.ca_file.empty()) return load(file(settings.ca_file.c_str()), "ca_file " + settings.ca_file);
  std::string tried;
  for (const char *path : kSystemBundles) {
    if (::access(path, R_OK) == 0) return load(file(path), std::string("the system's bundle ") + path);
    tried += tried.empty() ? path : std::string(", ") + path;
  }
  throw LibraryError(FLEETAUTH_E_TLS, "the system has no bundle of CA certificates (tried " + tried + ")");
}

void set_up(SSL_CTX *context, const Trust &trust) {
  SSL_CTX_set1_cert_store(context, trust.store.get());
  SSL_CTX_set_security_level(context, 2);         // at least 112 bits, whatever the system's default
  SSL_CTX_set_keylog_callback(context, nullptr);  // libcurl would obey SSLKEYLOGFILE
}

}  // namespace fleetauth::command
