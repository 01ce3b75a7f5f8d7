#include "core/crypto/fingerprint.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <new>

#include "core/crypto/digest.h"
#include "core/crypto/openssl_mutex.h"
#include "core/crypto/random.h"

namespace fleetauth::crypto {
namespace {

using Mac = std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;

// HMAC-SHA256 with a random key already in it; only ever copied from.
MacContext make_keyed() {
  std::array<unsigned char, 32> key{};
  random_bytes(key.data(), key.size());
  const Mac hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
  MacContext context(hmac == nullptr ? nullptr : EVP_MAC_CTX_new(hmac.get()), EVP_MAC_CTX_free);
  char digest_name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0), OSSL_PARAM_construct_end()};
  if (context == nullptr || EVP_MAC_init(context.get(), key.data(), key.size(), parameters) != 1) throw std::bad_alloc();
  OPENSSL_cleanse(key.data(), key.size());
  return context;
}

// The key is made at the first use and kept for the life of the process. Fetching algorithm and key anew would cost more than the
// digest itself.
Digest keyed_hmac(std::string_view bytes) {
  static EVP_MAC_CTX *const keyed = make_keyed().release();
  const std::lock_guard lock(openssl_mutex());
  const MacContext context(EVP_MAC_CTX_dup(keyed), EVP_MAC_CTX_free);
  Digest digest{};
  std::size_t size = 0;
  if (context == nullptr || EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size()) != 1 ||
      EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) != 1) {
    throw std::bad_alloc();
  }
  return digest;
}

}  // namespace

std::string fingerprint(std::string_view secret) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const Digest digest = keyed_hmac(secret);
  std::string name = "tok:";
  for (std::size_t i = 0; i < 4; ++i) {
    name.push_back(kHex[digest[i] >> 4]);
    name.push_back(kHex[digest[i] & 15]);
  }
  return name;
}

std::string keyed_digest(std::string_view bytes) { return std::string(view(keyed_hmac(bytes))); }

}  // namespace fleetauth::crypto
