#include "rsa_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>

namespace fleetauth::emulator {
namespace {

using Memory = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

constexpr int fewest_bits = 2048;

const unsigned char *bytes(std::string_view text) { return reinterpret_cast<const unsigned char *>(text.data()); }

void require(bool ok, const char *what) {
  if (!ok) throw std::runtime_error(std::string("OpenSSL cannot ") + what);
}

}  // namespace

RsaKey RsaKey::generate() {
  RsaKey key(EVP_RSA_gen(fewest_bits));
  require(key.key_ != nullptr, "make an RSA key");
  return key;
}

std::optional<RsaKey> RsaKey::from_public_pem(const std::string &pem) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  require(memory != nullptr, "read a key");
  RsaKey key(PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (key.key_ == nullptr || EVP_PKEY_get_base_id(key.key_.get()) != EVP_PKEY_RSA) return std::nullopt;
  if (EVP_PKEY_get_bits(key.key_.get()) < fewest_bits) return std::nullopt;
  return key;
}

std::string RsaKey::private_pem() const {
  const Memory memory(BIO_new(BIO_s_mem()), BIO_free);
  require(memory != nullptr && PEM_write_bio_PKCS8PrivateKey(memory.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "write an RSA key");
  char *data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string RsaKey::sign(std::string_view data) const {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
  std::size_t size = signature.size();
  const bool done =
      context != nullptr && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size, bytes(data), data.size()) == 1;
  require(done, "sign with RSA");
  signature.resize(size);
  return signature;
}

bool RsaKey::verify(std::string_view data, std::string_view signature) const {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  require(context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1, "verify with RSA");
  const bool good = EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(data), data.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace fleetauth::emulator
