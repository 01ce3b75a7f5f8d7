#include "core/crypto/init.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "core/crypto/digest.h"
#include "core/crypto/openssl_memory.h"
#include "core/crypto/random.h"

namespace fleetauth::crypto {
namespace {

ErrorPtr broken(const char *what) {
  return fail(Status::Crypto, std::string("OpenSSL does not work in this process: ") + what +
                                  ". Check that no other OpenSSL is forced into it and that it has memory and random numbers");
}

// The test vectors of RFC 4231 (case 2) and RFC 5869 (case 1).
bool digests_work() {
  constexpr std::string_view kHmac(
      "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
      "\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43",
      32);
  constexpr std::string_view kHkdf("\x3c\xb2\x5f\x25\xfa\xac\xd5\x7a\x90\x43\x4f\x64\xd0\x36\x2f\x2a", 16);
  constexpr std::string_view kSalt("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", 13);
  constexpr std::string_view kInfo("\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", 10);
  return view(hmac_sha256("Jefe", "what do ya want for nothing?")) == kHmac &&
         equal_constant_time(hkdf_sha256(std::string(22, '\x0b'), kSalt, kInfo, 16).view(), kHkdf);
}

// One signature brings in what a TLS handshake needs: keys, curves, the generator behind nonces.
bool signatures_work() {
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
  constexpr unsigned char kText[] = "fleetauth";
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Context sign(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const Context verify(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  unsigned char signature[128];
  std::size_t size = sizeof signature;
  return key && sign && verify && EVP_DigestSignInit(sign.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestSign(sign.get(), signature, &size, kText, sizeof kText) == 1 &&
         EVP_DigestVerifyInit(verify.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(verify.get(), signature, size, kText, sizeof kText) == 1;
}

bool tls_works() {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_free(context);
  return context != nullptr;
}

ErrorPtr prepare() {
  constexpr std::uint64_t kOptions = OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CONFIG;
  if (!hide_openssl_memory()) return broken("something has used it before this library could keep its memory out of core files");
  if (OPENSSL_init_ssl(kOptions, nullptr) != 1) return broken("it does not start");
  // Without this, for which it may have lacked the memory, OpenSSL 3.0 reads through a null pointer.
  if (OSSL_LIB_CTX_get0_global_default() == nullptr) return broken("it does not start");
  if (RAND_status() != 1) return broken("it has no random numbers");
  try {
    if (!digests_work()) return broken("HMAC or HKDF give wrong results");
    (void)random_fraction();
  } catch (const std::exception &) {
    return broken("HMAC, HKDF or random numbers fail");
  }
  if (!signatures_work()) return broken("ECDSA fails");
  if (!tls_works()) return broken("TLS fails");
  return nullptr;
}

}  // namespace

ErrorPtr initialise() {
  // Never destroyed: threads of a process that exits may still ask.
  static const ErrorPtr &outcome = *new ErrorPtr(prepare());
  return outcome;
}

}  // namespace fleetauth::crypto
