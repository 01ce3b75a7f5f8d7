#include "core/crypto/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/crypto/digest.h"
#include "core/crypto/openssl_mark.h"
#include "core/crypto/openssl_memory.h"
#include "core/crypto/openssl_mutex.h"
#include "core/crypto/random.h"

namespace fleetauth::crypto {
namespace {

constexpr std::string_view kMagic = "FLTSEAL\n";
constexpr std::string_view kVersion("\x01", 1);
constexpr std::string_view kCipherAndZeros("\x01\x00\x00", 3);
constexpr std::size_t kSaltSize = 32;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kCommitmentSize = 32;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kSizeSize = 4;
constexpr std::size_t kHeaderSize =
    kMagic.size() + kVersion.size() + kCipherAndZeros.size() + kSaltSize + kNonceSize + kCommitmentSize + kSizeSize;
constexpr std::size_t kLongestLabel = 255;
constexpr std::size_t kBlock = 256;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

constexpr std::size_t padded_size(std::size_t secret) { return (kSizeSize + secret + kBlock - 1) / kBlock * kBlock; }

const unsigned char *bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char *>(text.data()); }

std::string little_endian(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

std::size_t number_of(std::string_view little_endian) {
  std::size_t value = 0;
  for (std::size_t i = little_endian.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(little_endian[i - 1]);
  return value;
}

// The cipher's key and the commitment.
struct Keys {
  Keys(std::string_view key, std::string_view label, std::string_view salt)
      : bytes(hkdf_sha256(key, salt, label, kSealKeySize + kCommitmentSize)) {}
  [[nodiscard]] std::string_view cipher() const { return bytes.view().substr(0, kSealKeySize); }
  [[nodiscard]] std::string_view commitment() const { return bytes.view().substr(kSealKeySize); }
  SecretBytes bytes;
};

// AES-256-GCM over 256 bytes at a time, so that the only plain bytes outside a SecretBytes are those in `block_`. Holds OpenSSL's lock.
class Cipher {
 public:
  enum class Way : int { Decrypt = 0, Encrypt = 1 };

  Cipher(Way way, std::string_view key, std::string_view nonce) : context_(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free) {
    if (context_ == nullptr) throw std::bad_alloc();
    ok_ = EVP_CipherInit_ex2(context_.get(), method(), bytes_of(key), bytes_of(nonce), static_cast<int>(way), nullptr) == 1;
  }
  ~Cipher() { OPENSSL_cleanse(block_.data(), block_.size()); }
  Cipher(const Cipher &) = delete;
  Cipher &operator=(const Cipher &) = delete;

  void authenticate(std::string_view bytes) {
    int size = 0;
    for (; ok_ && !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kMostAtOnce))) {
      const auto part = static_cast<int>(std::min(bytes.size(), kMostAtOnce));
      ok_ = EVP_CipherUpdate(context_.get(), nullptr, &size, bytes_of(bytes), part) == 1;
    }
  }

  // `from` is a multiple of kBlock.
  void append(SecretBytes &to, std::string_view from) {
    for (; ok_ && !from.empty(); from.remove_prefix(kBlock)) {
      int size = 0;
      ok_ = EVP_CipherUpdate(context_.get(), block_.data(), &size, bytes_of(from), static_cast<int>(kBlock)) == 1;
      to.append({reinterpret_cast<const char *>(block_.data()), kBlock});
    }
  }

  bool finish_with_tag(SecretBytes &to) {
    int size = 0;
    ok_ = ok_ && EVP_CipherFinal_ex(context_.get(), block_.data(), &size) == 1 &&
          EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, block_.data()) == 1;
    if (!ok_) work_.expect_memory();
    if (ok_) to.append({reinterpret_cast<const char *>(block_.data()), kTagSize});
    return ok_;
  }

  bool finish_against_tag(std::string_view tag) {
    int size = 0;
    std::copy(tag.begin(), tag.end(), block_.begin());
    ok_ = ok_ && EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, block_.data()) == 1 &&
          EVP_CipherFinal_ex(context_.get(), block_.data(), &size) == 1;
    if (!ok_) work_.expect_memory();
    return ok_;
  }

 private:
  static constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

  // Fetched once for the life of the process.
  static const EVP_CIPHER *method() {
    static EVP_CIPHER *cipher = nullptr;
    if (cipher == nullptr) cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    if (cipher == nullptr) throw std::bad_alloc();
    return cipher;
  }

  const std::lock_guard<std::mutex> lock_{openssl_mutex()};
  const ErrorMark mark_;
  const OpensslWork work_;
  Context context_;
  std::array<unsigned char, kBlock> block_{};
  bool ok_ = false;
};

// A sealed record taken apart.
struct Record {
  std::string_view header, salt, nonce, commitment, ciphertext, tag;
};

ErrorPtr damaged(const char *how) {
  return fail(Status::Crypto, std::string("the sealed record is damaged: ") + how + ". Restore it from a copy or write it anew");
}

ErrorPtr check_key(std::string_view key) {
  if (key.size() == kSealKeySize) return nullptr;
  return fail(Status::Key, "the key for sealing has " + std::to_string(key.size()) + " bytes; expected are exactly 32");
}

Result<Record> split(std::string_view sealed) {
  if (sealed.empty()) return fail(Status::Crypto, "this is not a sealed record: it is empty");
  if (!sealed.starts_with(kMagic.substr(0, sealed.size()))) {
    return fail(Status::Crypto, "this is not a sealed record: it does not begin as one");
  }
  std::string_view rest = sealed.substr(std::min(kMagic.size(), sealed.size()));
  const auto take = [&rest](std::size_t size) {
    const std::string_view part = rest.substr(0, size);
    rest.remove_prefix(part.size());
    return part;
  };
  const std::string_view version = take(kVersion.size());
  if (version > kVersion) return fail(Status::Crypto, "the sealed record is of a newer version. Upgrade this library to open it");
  if (sealed.size() < kHeaderSize) return damaged("it is cut off");
  if (version != kVersion) return damaged("its version does not exist");
  if (take(kCipherAndZeros.size()) != kCipherAndZeros) {
    return fail(Status::Crypto,
                "the sealed record uses a cipher this version does not know. Upgrade this library to open it, or restore it");
  }
  Record record;
  record.header = sealed.substr(0, kHeaderSize);
  record.salt = take(kSaltSize);
  record.nonce = take(kNonceSize);
  record.commitment = take(kCommitmentSize);
  const std::size_t size = number_of(take(kSizeSize));
  if (size == 0 || size % kBlock != 0 || size > padded_size(kMostSealed)) return damaged("its size is impossible");
  if (rest.size() < size + kTagSize) return damaged("it is cut off");
  if (rest.size() > size + kTagSize) return damaged("it is followed by other bytes");
  record.ciphertext = take(size);
  record.tag = rest;
  return record;
}

SecretBytes pad(std::string_view secret) {
  constexpr char kZeros[kBlock] = {};
  SecretBytes padded;
  padded.reserve(padded_size(secret.size()));
  padded.append(little_endian(secret.size(), kSizeSize));
  padded.append(secret);
  padded.append({kZeros, padded_size(secret.size()) - padded.size()});
  return padded;
}

// None when the bytes were not made by pad().
std::optional<SecretBytes> unpad(std::string_view padded) {
  const std::size_t size = number_of(padded.substr(0, kSizeSize));
  if (size > kMostSealed || padded_size(size) != padded.size()) return std::nullopt;
  if (padded.find_first_not_of('\0', kSizeSize + size) != std::string_view::npos) return std::nullopt;
  return SecretBytes(padded.substr(kSizeSize, size));
}

void authenticate(Cipher &cipher, std::string_view header, std::string_view context) {
  cipher.authenticate(header);
  cipher.authenticate(little_endian(context.size(), sizeof(std::uint64_t)));
  cipher.authenticate(context);
}

}  // namespace

Result<SecretBytes> seal(std::string_view key, std::string_view label, std::string_view context, std::string_view secret) {
  if (const ErrorPtr error = check_key(key)) return error;
  if (label.size() > kLongestLabel) return fail(Status::InvalidArgument, "the label for sealing is longer than 255 bytes");
  if (secret.size() > kMostSealed) return fail(Status::InvalidArgument, "the secret to seal is longer than 64 KiB");
  std::array<char, kSaltSize + kNonceSize> random;  // NOLINT(*-member-init): filled next
  try {
    random_bytes(random.data(), random.size());
  } catch (const std::runtime_error &) {
    return fail(Status::Crypto, "OpenSSL has no random numbers");
  }
  const std::string_view salt(random.data(), kSaltSize);
  const std::string_view nonce(random.data() + kSaltSize, kNonceSize);
  const Keys keys(key, label, salt);
  const SecretBytes padded = pad(secret);
  SecretBytes sealed;
  sealed.reserve(kHeaderSize + padded.size() + kTagSize);
  for (const std::string_view part : {kMagic, kVersion, kCipherAndZeros, salt, nonce, keys.commitment()}) sealed.append(part);
  sealed.append(little_endian(padded.size(), kSizeSize));

  Cipher cipher(Cipher::Way::Encrypt, keys.cipher(), nonce);
  authenticate(cipher, sealed.view(), context);
  cipher.append(sealed, padded.view());
  if (!cipher.finish_with_tag(sealed)) return fail(Status::Crypto, "OpenSSL could not seal");
  return sealed;
}

Result<SecretBytes> open(std::string_view key, std::string_view label, std::string_view context, std::string_view sealed) {
  if (const ErrorPtr error = check_key(key)) return error;
  if (label.size() > kLongestLabel) return fail(Status::InvalidArgument, "the label for sealing is longer than 255 bytes");
  const auto record = split(sealed);
  if (!record) return record.error();
  const Keys keys(key, label, record->salt);
  if (!equal_constant_time(keys.commitment(), record->commitment)) {
    return fail(Status::Key,
                "the key does not open this sealed record: it was sealed with another key or for another purpose. Give the key it was "
                "sealed with");
  }
  Cipher cipher(Cipher::Way::Decrypt, keys.cipher(), record->nonce);
  authenticate(cipher, record->header, context);
  SecretBytes padded;
  padded.reserve(record->ciphertext.size());
  cipher.append(padded, record->ciphertext);
  if (!cipher.finish_against_tag(record->tag)) return damaged("its content was changed, or it belongs elsewhere");
  auto secret = unpad(padded.view());
  if (!secret) return damaged("its content is not what is sealed");
  return std::move(*secret);
}

}  // namespace fleetauth::crypto
