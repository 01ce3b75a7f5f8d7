#include "tests/unit/crypto/test_keys.h"

#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <map>
#include <stdexcept>
#include <utility>

#include "core/base/base64.h"

namespace fleetauth::crypto::test {
namespace {

using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using Scratch = std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)>;
constexpr const char *kPassphrase = "open sesame";

void need(bool done) {
  if (!done) throw std::runtime_error("OpenSSL fails in a test");
}

Key owned(EVP_PKEY *key) {
  need(key != nullptr);
  return {key, EVP_PKEY_free};
}

Key generate_rsa(unsigned bits, unsigned long exponent, int primes) {
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
  const Numbers::Number e = number(exponent);
  EVP_PKEY *key = nullptr;
  need(EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) == 1 &&
       EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e.get()) == 1 && EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(), primes) == 1 &&
       EVP_PKEY_generate(context.get(), &key) == 1);
  return owned(key);
}

Key generate_dsa() {
  const Context parameters_of(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY *parameters = nullptr;
  need(EVP_PKEY_paramgen_init(parameters_of.get()) == 1 && EVP_PKEY_CTX_set_dsa_paramgen_bits(parameters_of.get(), 1024) == 1 &&
       EVP_PKEY_generate(parameters_of.get(), &parameters) == 1);
  const Key known = owned(parameters);
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, parameters, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY *key = nullptr;
  need(EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_generate(context.get(), &key) == 1);
  return owned(key);
}

Key generate_dh() {
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr), EVP_PKEY_CTX_free);
  char group[] = "ffdhe2048";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0), OSSL_PARAM_construct_end()};
  EVP_PKEY *key = nullptr;
  need(EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_CTX_set_params(context.get(), parameters) == 1 &&
       EVP_PKEY_generate(context.get(), &key) == 1);
  return owned(key);
}

// What `write` puts into a BIO.
template <class Write>
std::string written(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  need(write(bio.get()) == 1);
  char *data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

unsigned char *passphrase() { return reinterpret_cast<unsigned char *>(const_cast<char *>(kPassphrase)); }
int passphrase_size() { return static_cast<int>(std::string_view(kPassphrase).size()); }

std::string der(unsigned char tag, const std::string &content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() >= 0x80) out += content.size() >= 0x100 ? '\x82' : '\x81';
  if (content.size() >= 0x100) out += static_cast<char>(content.size() >> 8);
  return out + static_cast<char>(content.size()) + content;
}

std::string der(const Numbers::Number &number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number.get())) + 1, '\0');
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char *>(bytes.data() + 1));
  if (bytes.size() > 1 && (bytes[1] & 0x80) == 0) bytes.erase(0, 1);
  return der(0x02, bytes);
}

Numbers::Number fresh() { return {BN_new(), BN_clear_free}; }

Numbers::Number product(const Numbers::Number &a, const Numbers::Number &b) {
  const Scratch scratch(BN_CTX_new(), BN_CTX_free);
  Numbers::Number value = fresh();
  need(BN_mul(value.get(), a.get(), b.get(), scratch.get()) == 1);
  return value;
}

}  // namespace

Key rsa(unsigned bits, unsigned long exponent) {
  static std::map<std::pair<unsigned, unsigned long>, Key> made;
  Key &key = made[{bits, exponent}];
  if (!key) key = generate_rsa(bits, exponent, 2);
  return key;
}

Key rsa_of_three_primes() { return generate_rsa(2048, 65537, 3); }

Key other(const char *algorithm) {
  const std::string_view name = algorithm;
  if (name == "DSA") return generate_dsa();
  if (name == "DH") return generate_dh();
  if (name == "EC") return owned(EVP_EC_gen("P-256"));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY *key = nullptr;
  need(EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_generate(context.get(), &key) == 1);
  return owned(key);
}

std::string pkcs8(const Key &key) {
  return written([&](BIO *bio) { return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

std::string encrypted_pkcs8(const Key &key) {
  return written([&](BIO *bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), EVP_aes_256_cbc(), kPassphrase, passphrase_size(), nullptr, nullptr);
  });
}

std::string traditional(const Key &key, bool with_passphrase) {
  return written([&](BIO *bio) {
    return with_passphrase
               ? PEM_write_bio_PrivateKey_traditional(bio, key.get(), EVP_aes_256_cbc(), passphrase(), passphrase_size(), nullptr, nullptr)
               : PEM_write_bio_PrivateKey_traditional(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string public_key(const Key &key) {
  return written([&](BIO *bio) { return PEM_write_bio_PUBKEY(bio, key.get()); });
}

std::string certificate(const Key &key) {
  const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), X509_free);
  need(X509_set_pubkey(x509.get(), key.get()) == 1 && X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0) != nullptr &&
       X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600) != nullptr && X509_sign(x509.get(), key.get(), EVP_sha256()) != 0);
  return written([&](BIO *bio) { return PEM_write_bio_X509(bio, x509.get()); });
}

std::string certificate_request(const Key &key) {
  const std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> request(X509_REQ_new(), X509_REQ_free);
  need(X509_REQ_set_pubkey(request.get(), key.get()) == 1 && X509_REQ_sign(request.get(), key.get(), EVP_sha256()) != 0);
  return written([&](BIO *bio) { return PEM_write_bio_X509_REQ(bio, request.get()); });
}

bool verifies(const Key &key, std::string_view bytes, std::string_view signature) {
  const std::string text = public_key(key);
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  const Key half = owned(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX *padding = nullptr;
  need(EVP_DigestVerifyInit(context.get(), &padding, EVP_sha256(), nullptr, half.get()) == 1 &&
       EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PADDING) == 1);
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char *>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size()) == 1;
}

std::string pem(const std::string &label, std::string_view der) {
  const SecretBytes letters = base64::encode(der);
  std::string text = "-----BEGIN " + label + "-----\n";
  for (std::size_t at = 0; at < letters.size(); at += 64) text.append(letters.view().substr(at, 64)) += '\n';
  return text + "-----END " + label + "-----\n";
}

std::string body_of(const std::string &pem) {
  const std::size_t begin = pem.find('\n');
  std::string letters = pem.substr(begin, pem.find("-----END") - begin);
  std::erase(letters, '\n');
  return std::string(base64::decode(letters)->view());
}

Numbers::Numbers(const Key &key) {
  constexpr std::array<const char *, kCount> kNames = {
      OSSL_PKEY_PARAM_RSA_N,       OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
      OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
  for (std::size_t i = 0; i < kCount; ++i) {
    BIGNUM *value = nullptr;
    need(EVP_PKEY_get_bn_param(key.get(), kNames[i], &value) == 1);
    all[i] = Number(value, BN_clear_free);
  }
}

Numbers::Numbers(const Number &first, const Number &second) {
  const Scratch scratch(BN_CTX_new(), BN_CTX_free);
  for (Number &value : all) value = fresh();
  all[p] = first;
  all[q] = second;
  all[e] = number(65537);
  all[n] = product(first, second);
  const Number less_p(BN_dup(first.get()), BN_clear_free);
  const Number less_q(BN_dup(second.get()), BN_clear_free);
  need(BN_sub_word(less_p.get(), 1) == 1 && BN_sub_word(less_q.get(), 1) == 1);
  const Number phi = product(less_p, less_q);
  need(BN_mod_inverse(all[d].get(), all[e].get(), phi.get(), scratch.get()) != nullptr);
  need(BN_mod(all[dp].get(), all[d].get(), less_p.get(), scratch.get()) == 1);
  need(BN_mod(all[dq].get(), all[d].get(), less_q.get(), scratch.get()) == 1);
  need(BN_mod_inverse(all[qi].get(), second.get(), first.get(), scratch.get()) != nullptr);
}

std::string Numbers::pkcs1_der(char version) const {
  std::string content = der(0x02, std::string(1, version));
  for (const Number &value : all) content += der(value);
  return der(0x30, content);
}

Numbers::Number number(unsigned long word) {
  Numbers::Number value = fresh();
  need(BN_set_word(value.get(), word) == 1);
  return value;
}

Numbers::Number factor(int bits, int primes) {
  Numbers::Number value;
  do {
    value = number(1);
    for (int i = 0; i < primes; ++i) {
      const Numbers::Number prime = fresh();
      need(BN_generate_prime_ex(prime.get(), bits / primes, 0, nullptr, nullptr, nullptr) == 1);
      value = product(value, prime);
    }
  } while (BN_mod_word(value.get(), 65537) == 1);
  return value;
}

}  // namespace fleetauth::crypto::test
