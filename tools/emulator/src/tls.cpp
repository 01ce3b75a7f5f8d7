#include "tls.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <string_view>

#include "crypto.h"

namespace fleetauth::emulator {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

// Some clients refuse server certificates of more than 398 days.
constexpr long valid_s = 30L * 86'400;
constexpr long back_dated_s = 86'400;

void require(bool ok, const char *what) {
  if (!ok) throw std::runtime_error(std::string("OpenSSL cannot ") + what);
}

Key make_key() {
  Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  require(key != nullptr, "make a P-256 key");
  return key;
}

void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  require(extension != nullptr, "make a certificate extension");
  const int added = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  require(added == 1, "add a certificate extension");
}

void set_serial(X509 *certificate) {
  const std::string bytes = random_bytes(16);
  BIGNUM *number = BN_bin2bn(reinterpret_cast<const unsigned char *>(bytes.data()), static_cast<int>(bytes.size()), nullptr);
  require(number != nullptr, "make a serial number");
  const bool set = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  require(set, "set a serial number");
}

// A certificate with everything but its extensions and signature.
Certificate begin_certificate(EVP_PKEY *key, const char *common_name) {
  Certificate certificate(X509_new(), X509_free);
  require(certificate != nullptr, "make a certificate");
  set_serial(certificate.get());
  X509_NAME *name = X509_get_subject_name(certificate.get());
  const bool filled =
      X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -back_dated_s) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid_s) != nullptr && X509_set_pubkey(certificate.get(), key) == 1 &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char *>(common_name), -1, -1, 0) == 1;
  require(filled, "fill in a certificate");
  return certificate;
}

void sign(X509 *certificate, X509 *issuer, EVP_PKEY *issuer_key) {
  require(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1, "set an issuer");
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  require(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "sign a certificate");
}

std::string to_pem(X509 *certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  require(memory != nullptr && PEM_write_bio_X509(memory.get(), certificate) == 1, "write a certificate");
  char *data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

int select_http11(SSL *, const unsigned char **out, unsigned char *out_size, const unsigned char *in, unsigned int in_size, void *) {
  static constexpr unsigned char http11[] = "\x08http/1.1";
  unsigned char *chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, http11, sizeof http11 - 1, in, in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<SSL_CTX> make_context(X509 *certificate, EVP_PKEY *key) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  require(context != nullptr, "make a TLS context");
  const bool ready = SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
                     SSL_CTX_use_certificate(context.get(), certificate) == 1 && SSL_CTX_use_PrivateKey(context.get(), key) == 1;
  require(ready, "prepare a TLS context");
  SSL_CTX_set_alpn_select_cb(context.get(), select_http11, nullptr);
  return context;
}

}  // namespace

TlsIdentity make_tls_identity() {
  const Key ca_key = make_key();
  // Part of the name is random: two CAs of two runs in one trust store must not be mistaken for each other.
  const std::string ca_name = "fleetauth emulator test CA " + random_hex(4);
  const Certificate ca = begin_certificate(ca_key.get(), ca_name.c_str());
  add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  sign(ca.get(), ca.get(), ca_key.get());

  const Key server_key = make_key();
  const Certificate server = begin_certificate(server_key.get(), "localhost");
  add_extension(server.get(), ca.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(server.get(), ca.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(server.get(), ca.get(), NID_ext_key_usage, "serverAuth");
  add_extension(server.get(), ca.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
  sign(server.get(), ca.get(), ca_key.get());

  return {make_context(server.get(), server_key.get()), to_pem(ca.get()), to_pem(server.get())};
}

}  // namespace fleetauth::emulator
