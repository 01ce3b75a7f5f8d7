#include "core/crypto/signing_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <bit>
#include <mutex>
#include <new>
#include <string>

#include "core/crypto/openssl_mark.h"
#include "core/crypto/openssl_memory.h"
#include "core/crypto/openssl_mutex.h"
#include "core/crypto/pem.h"
#include "core/crypto/rsa_der.h"

// The numbers are read and compared here and handed to OpenSSL one by one: its own decoders leave copies of them in freed memory, and its
// own check proves primes with the lock held, for seconds where the key is long.
namespace fleetauth::crypto {
namespace {

constexpr int kFewestBits = 2048;
constexpr int kMostBits = 16'384;
constexpr int kMostExponentBits = 64;  // more OpenSSL does not verify

using Number = std::unique_ptr<BIGNUM, decltype(&BN_clear_free)>;
using Scratch = std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

struct FreeKey {
  void operator()(EVP_PKEY *key) const {
    const std::lock_guard lock(openssl_mutex());
    EVP_PKEY_free(key);
  }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

// For calls that fail only for want of memory.
void need(bool done) {
  if (!done) throw std::bad_alloc();
}

// What a key's numbers have to fulfil, calculated from them. OpenSSL's lock must be held.
class Relations {
 public:
  explicit Relations(const RsaNumbers &numbers) : numbers_(numbers), scratch_(BN_CTX_new(), BN_CTX_free) { need(scratch_ != nullptr); }

  bool hold() {
    using enum RsaNumbers::Name;
    for (const RsaNumbers::Name name : {e, p, q}) {
      if (BN_is_odd(number(name).get()) == 0 || BN_is_one(number(name).get()) == 1) return false;
    }
    return BN_cmp(product(p, q).get(), number(n).get()) == 0 && BN_cmp(number(d).get(), number(n).get()) < 0 && fits(p, dp) &&
           fits(q, dq) && BN_cmp(number(qi).get(), number(p).get()) < 0 && is_one(product(qi, q), number(p));
  }

 private:
  [[nodiscard]] Number number(RsaNumbers::Name name) const {
    const std::string_view bytes = numbers_[name];
    Number value(BN_bin2bn(reinterpret_cast<const unsigned char *>(bytes.data()), static_cast<int>(bytes.size()), nullptr), BN_clear_free);
    need(value != nullptr);
    return value;
  }

  [[nodiscard]] Number product(RsaNumbers::Name a, RsaNumbers::Name b) const {
    Number value(BN_new(), BN_clear_free);
    need(value != nullptr && BN_mul(value.get(), number(a).get(), number(b).get(), scratch_.get()) == 1);
    return value;
  }

  void reduce(Number &value, const Number &modulus) const { need(BN_mod(value.get(), value.get(), modulus.get(), scratch_.get()) == 1); }

  [[nodiscard]] bool is_one(Number value, const Number &modulus) const {
    reduce(value, modulus);
    return BN_is_one(value.get()) == 1;
  }

  // Whether d undoes e for this prime, and `rest` is d for this prime.
  [[nodiscard]] bool fits(RsaNumbers::Name prime, RsaNumbers::Name rest) const {
    using enum RsaNumbers::Name;
    const Number less = number(prime);
    need(BN_sub_word(less.get(), 1) == 1);
    Number reduced = number(d);
    reduce(reduced, less);
    return BN_cmp(reduced.get(), number(rest).get()) == 0 && is_one(product(e, d), less);
  }

  const RsaNumbers &numbers_;
  Scratch scratch_;
};

int bits_of(std::string_view number) {
  if (number.empty()) return 0;
  return static_cast<int>(number.size() - 1) * 8 + std::bit_width(static_cast<unsigned char>(number.front()));
}

ErrorPtr check_sizes(const RsaNumbers &numbers) {
  const int bits = bits_of(numbers[RsaNumbers::n]);
  if (bits < kFewestBits) return refuse_key("is too weak: it has " + std::to_string(bits) + " bits");
  if (bits > kMostBits) return refuse_key("is too long: it has " + std::to_string(bits) + " bits");
  if (bits_of(numbers[RsaNumbers::e]) > kMostExponentBits) return refuse_key("has a public exponent of more than 64 bits");
  for (const std::string_view number : numbers.all) {
    if (bits_of(number) > bits) return refuse_key("is damaged: its numbers do not belong together");
  }
  return nullptr;
}

// In the order of bytes that OSSL_PARAM wants.
SecretBytes native(std::string_view number) {
  SecretBytes bytes;
  bytes.reserve(number.size());
  for (std::size_t i = 0; i < number.size(); ++i) {
    bytes.append(number.substr(std::endian::native == std::endian::little ? number.size() - 1 - i : i, 1));
  }
  return bytes;
}

// OpenSSL's lock must be held. Null when OpenSSL fails.
EVP_PKEY *make_key(const RsaNumbers &numbers) {
  constexpr std::array<const char *, RsaNumbers::kCount> kNames = {
      OSSL_PKEY_PARAM_RSA_N,       OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
      OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
  std::array<SecretBytes, RsaNumbers::kCount> bytes;
  std::array<OSSL_PARAM, RsaNumbers::kCount + 1> parameters{};
  for (std::size_t i = 0; i < RsaNumbers::kCount; ++i) {
    bytes[i] = native(numbers.all[i]);
    auto *data = reinterpret_cast<unsigned char *>(const_cast<char *>(bytes[i].c_str()));  // OpenSSL only reads it
    parameters[i] = OSSL_PARAM_construct_BN(kNames[i], data, bytes[i].size());
  }
  parameters.back() = OSSL_PARAM_construct_end();
  EVP_PKEY *key = nullptr;
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  return EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.data()) == 1 ? key : nullptr;
}

// Fetched once for the life of the process. OpenSSL's lock must be held.
const EVP_MD *sha256_method() {
  static EVP_MD *method = nullptr;
  if (method == nullptr) method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  need(method != nullptr);
  return method;
}

bool verifies(EVP_PKEY *key, std::string_view bytes, std::string_view signature) {
  const std::lock_guard lock(openssl_mutex());
  const ErrorMark mark;
  const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  need(context != nullptr);
  return EVP_DigestVerifyInit(context.get(), nullptr, sha256_method(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char *>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size()) == 1;
}

Result<Key> checked_key(const RsaNumbers &numbers) {
  const std::lock_guard lock(openssl_mutex());
  const ErrorMark mark;
  const OpensslWork work;
  if (!Relations(numbers).hold()) return refuse_key("is damaged: its numbers do not belong together");
  EVP_PKEY *key = make_key(numbers);
  if (key == nullptr) {
    work.expect_memory();
    return fail(Status::Crypto, "OpenSSL could not take the signing key");
  }
  return Key(key);
}

}  // namespace

Result<std::shared_ptr<const SigningKey>> SigningKey::from_pem(std::string_view pem) {
  const auto text = read_pem_key(pem);
  if (!text) return text.error();
  const auto numbers = read_rsa_der(text->der.view(), text->pkcs8);
  if (!numbers) return numbers.error();
  if (const ErrorPtr error = check_sizes(*numbers)) return error;
  auto made = checked_key(*numbers);
  if (!made) return made.error();
  const std::shared_ptr<const SigningKey> key(new SigningKey(made->release(), bits_of((*numbers)[RsaNumbers::n])));

  // Where a factor is not prime, e and d do not undo each other for all that can be signed.
  constexpr std::string_view kText = "fleetauth";
  const auto signature = key->sign_rs256(kText);
  const OpensslWork verification;
  const bool good = signature && verifies(key->key_, kText, signature->view());
  verification.expect_memory();
  if (!good) return refuse_key("is damaged: its signatures cannot be verified");
  return key;
}

SigningKey::~SigningKey() { FreeKey()(key_); }

Result<SecretBytes> SigningKey::sign_rs256(std::string_view bytes) const {
  const std::lock_guard lock(openssl_mutex());
  const ErrorMark mark;
  const OpensslWork work;
  const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  need(context != nullptr);
  std::array<unsigned char, kMostBits / 8> signature;  // NOLINT(*-member-init): only what is written is read
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, sha256_method(), nullptr, key_) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size()) != 1) {
    work.expect_memory();
    return fail(Status::Crypto, "OpenSSL could not sign");
  }
  SecretBytes result({reinterpret_cast<const char *>(signature.data()), size});
  OPENSSL_cleanse(signature.data(), size);
  return result;
}

}  // namespace fleetauth::crypto
