#include "tests/fault/test_certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace fleetauth::test {
namespace {

template <class T>
T *need(T *made) {
  if (made == nullptr) throw std::runtime_error("OpenSSL could not make a test certificate");
  return made;
}

void add_extension(X509 *certificate, X509 *issuer, int nid, const std::string &value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION *extension = need(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void set_name(X509_NAME *name, const std::string &common_name) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char *>(common_name.c_str()), -1, -1, 0);
}

Identity unsigned_identity(const std::string &name, const CertificateRequest &request) {
  Identity identity;
  EVP_PKEY *key = request.rsa_bits != 0 ? EVP_RSA_gen(static_cast<unsigned int>(request.rsa_bits)) : EVP_EC_gen("P-256");
  identity.key.reset(need(key), EVP_PKEY_free);
  identity.certificate.reset(need(X509_new()), X509_free);
  X509 *certificate = identity.certificate.get();
  long serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char *>(&serial), sizeof serial);
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial >> 1 & 0x7fffffff);
  X509_gmtime_adj(X509_getm_notBefore(certificate), request.valid_from.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate), request.valid_until.count());
  X509_set_pubkey(certificate, identity.key.get());
  set_name(X509_get_subject_name(certificate), name);
  return identity;
}

void sign(const Identity &identity, const Identity &issuer, bool sha1) {
  X509_set_issuer_name(identity.certificate.get(), X509_get_subject_name(issuer.certificate.get()));
  if (X509_sign(identity.certificate.get(), issuer.key.get(), sha1 ? EVP_sha1() : EVP_sha256()) == 0) need<X509>(nullptr);
}

Identity server(const CertificateRequest &request, const Identity *issuer) {
  Identity identity = unsigned_identity("Test server", request);
  X509 *certificate = identity.certificate.get();
  const Identity &by = issuer != nullptr ? *issuer : identity;
  X509_set_issuer_name(certificate, X509_get_subject_name(by.certificate.get()));
  add_extension(certificate, by.certificate.get(), NID_subject_alt_name, request.alt_names);
  add_extension(certificate, by.certificate.get(), NID_ext_key_usage, request.usage);
  sign(identity, by, request.sha1);
  return identity;
}

}  // namespace

std::string Identity::pem() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(need(BIO_new(BIO_s_mem())), BIO_free);
  PEM_write_bio_X509(out.get(), certificate.get());
  char *text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

TestCa::TestCa(const std::string &name) : self_(unsigned_identity(name, {})) {
  X509 *certificate = self_.certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign");
  sign(self_, self_, false);
}

Identity TestCa::issue(const CertificateRequest &request) const { return server(request, &self_); }

Identity TestCa::self_signed(const CertificateRequest &request) { return server(request, nullptr); }

}  // namespace fleetauth::test
