#include "core/net/trust.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

#include "core/crypto/openssl_memory.h"
#include "core/net/failure.h"

namespace fleetauth::net {
namespace {

// Where distributions keep their bundle: Debian, Fedora, SUSE, Alpine and the BSDs.
constexpr std::array kSystemBundles = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                       "/etc/ssl/cert.pem"};

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

// Every certificate of a PEM text; how many there were, or -1 when one is damaged.
int add_all(X509_STORE *store, BIO *pem) {
  int count = 0;
  ERR_clear_error();
  while (true) {
    const Certificate certificate(PEM_read_bio_X509_AUX(pem, nullptr, nullptr, nullptr), X509_free);
    if (certificate == nullptr) break;
    X509_check_purpose(certificate.get(), -1, 0);  // reads the extensions, now that want of memory can still be told
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return -1;
    ++count;
  }
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  return at_end ? count : -1;
}

Result<Trust> load(Bio pem, std::string source) {
  const crypto::OpensslWork work;
  if (pem == nullptr) throw std::bad_alloc();
  const TrustStore store(X509_STORE_new(), X509_STORE_free);
  if (store == nullptr) throw std::bad_alloc();
  // An operator may trust an intermediate or a server's own certificate without its root.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  const int count = add_all(store.get(), pem.get());
  work.expect_memory();  // certificates that seem to be there may lack their key, and would for as long as they are kept
  if (count < 0) return fail(Status::Config, source + " holds a damaged certificate; it must be PEM text");
  if (count == 0) return fail(Status::Config, source + " holds no certificate; PEM text with BEGIN CERTIFICATE is expected");
  return Trust{store, std::move(source), count};
}

Result<Trust> load_file(const std::string &path, std::string source) {
  errno = 0;
  Bio file(BIO_new_file(path.c_str(), "re"), BIO_free);  // e: closed on exec
  if (file == nullptr) {
    const int reason = errno;
    ERR_clear_error();
    if (reason == EMFILE || reason == ENFILE) {
      return fail(Status::Resource, source + " cannot be read: " + std::string(kNoDescriptors));
    }
    return fail(Status::Config, source + " cannot be read: " + std::strerror(reason));  // NOLINT(concurrency-mt-unsafe): glibc's is safe
  }
  return load(std::move(file), std::move(source));
}

Result<Trust> load_system() {
  std::string tried;
  for (const char *path : kSystemBundles) {
    auto trust = load_file(path, path);
    if (trust || trust.error()->status == Status::Resource) return trust;
    tried += tried.empty() ? path : std::string(", ") + path;
  }
  return fail(Status::Tls,
              "no CA certificates were found on this system (tried " + tried + "); install the package ca-certificates or set ca_file");
}

// Kept once it was found, and never destroyed; a system without a bundle is looked at again.
std::atomic<const Trust *> g_system_trust{nullptr};

Result<Trust> system_trust() {
  if (const Trust *kept = g_system_trust.load(std::memory_order_acquire)) return *kept;
  auto trust = load_system();
  if (!trust) return trust;
  auto mine = std::make_unique<const Trust>(*trust);
  const Trust *none = nullptr;
  if (g_system_trust.compare_exchange_strong(none, mine.get(), std::memory_order_acq_rel)) (void)mine.release();
  return trust;
}

}  // namespace

Result<Trust> load_trust(const std::string &ca_file, const std::string &ca_pem) {
  if (!ca_pem.empty()) return load(Bio(BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size())), BIO_free), "the option ca_pem");
  if (!ca_file.empty()) return load_file(ca_file, "ca_file " + ca_file);
  return system_trust();
}

void set_up_tls_context(SSL_CTX *context, const Trust &trust) {
  SSL_CTX_set1_cert_store(context, trust.store.get());
  SSL_CTX_set_security_level(context, 2);                 // at least 112 bits: no SHA-1, no RSA of 1024 bits, whatever the system's default
  SSL_CTX_clear_mode(context, SSL_MODE_RELEASE_BUFFERS);  // which would clear 16 KiB and allocate them anew with every record
  SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_keylog_callback(context, nullptr);  // libcurl would obey SSLKEYLOGFILE
}

}  // namespace fleetauth::net
