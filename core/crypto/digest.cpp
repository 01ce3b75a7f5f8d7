#include "core/crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "core/crypto/openssl_mutex.h"

namespace fleetauth::crypto {
namespace {

const unsigned char *bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char *>(text.data()); }

using Kdf = std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)>;

// OpenSSL takes these without const and only reads them. A null pointer would mean "absent".
OSSL_PARAM octets(const char *name, std::string_view bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<char *>(bytes.empty() ? "" : bytes.data()), bytes.size());
}

}  // namespace

Digest sha256(std::string_view bytes) {
  const std::lock_guard lock(openssl_mutex());
  Digest digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  const std::lock_guard lock(openssl_mutex());
  Digest digest{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data() == nullptr ? "" : key.data(), static_cast<int>(key.size()), bytes_of(bytes), bytes.size(),
           digest.data(), &size) == nullptr) {
    throw std::bad_alloc();
  }
  return digest;
}

SecretBytes hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info, std::size_t size) {
  constexpr std::size_t kLongest = 255 * std::tuple_size_v<Digest>;
  if (size == 0 || size > kLongest) throw std::length_error("hkdf_sha256");

  const std::lock_guard lock(openssl_mutex());
  const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr), EVP_KDF_free);
  const KdfContext context(EVP_KDF_CTX_new(kdf.get()), EVP_KDF_CTX_free);
  if (context == nullptr) throw std::bad_alloc();
  char digest_name[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
      octets(OSSL_KDF_PARAM_KEY, key),
      octets(OSSL_KDF_PARAM_SALT, salt),
      octets(OSSL_KDF_PARAM_INFO, info),
      OSSL_PARAM_construct_end(),
  };
  std::string out(size, '\0');
  if (EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char *>(out.data()), size, parameters) != 1) throw std::bad_alloc();
  SecretBytes secret(out);
  OPENSSL_cleanse(out.data(), out.size());
  return secret;
}

}  // namespace fleetauth::crypto
