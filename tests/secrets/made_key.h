#pragma once

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/secrets/secret.h"

namespace secrets {

/// An RSA key made in another process, for whoever makes keys leaves traces of them. Its texts lie in memory that is given back by
/// `forget`.
class MadeKey {
 public:
  explicit MadeKey(bool pkcs8) {
    void *memory = mmap(nullptr, sizeof(Texts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no memory for a key");
    texts_ = static_cast<Texts *>(memory);
    const pid_t child = fork();
    if (child == 0) {
      make(*texts_, pkcs8);
      _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0) throw std::runtime_error("no key could be made");
    needles.emplace("the text", Masked({texts_->letters, kPart}));
    for (const auto &[name, part] : {std::pair{"the exponent", texts_->exponent}, {"a factor", texts_->factor}}) {
      needles.emplace(std::string(name) + " as in the text", Masked({part, kPart}));
      char reversed[kPart];
      for (std::size_t i = 0; i < kPart; ++i) reversed[i] = part[kPart - 1 - i];
      numbers.emplace(std::string(name) + " as OpenSSL has it", Masked({reversed, kPart}));
      explicit_bzero(reversed, sizeof reversed);
    }
  }
  ~MadeKey() { forget(); }
  MadeKey(const MadeKey &) = delete;
  MadeKey &operator=(const MadeKey &) = delete;

  [[nodiscard]] char *pem() const { return texts_->pem; }
  /// A service account's key file.
  [[nodiscard]] char *json() const { return texts_->json; }

  void forget() {
    if (texts_ != nullptr) munmap(texts_, sizeof(Texts));
    texts_ = nullptr;
  }

  std::map<std::string, Masked> needles;  ///< of the texts
  std::map<std::string, Masked> numbers;  ///< of what signs

 private:
  static constexpr std::size_t kPart = 48;

  struct Texts {
    char pem[4096];
    char json[8192];
    char letters[kPart];   // of the PEM text
    char exponent[kPart];  // of the private one, big-endian as DER has it
    char factor[kPart];
  };

  static void part_of(EVP_PKEY *key, const char *name, char (&part)[kPart]) {
    BIGNUM *number = nullptr;
    unsigned char bytes[512];
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1 || BN_bn2bin(number, bytes) < 128) _exit(1);
    memcpy(part, bytes + 32, kPart);
  }

  static void make(Texts &made, bool pkcs8) {
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    const int written = pkcs8 ? PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr)
                              : PEM_write_bio_PrivateKey_traditional(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    if (written != 1 || BIO_read(bio, made.pem, sizeof made.pem - 1) <= 0) _exit(1);
    std::string json = R"({"type":"service_account","client_email":"a","private_key_id":"b","project_id":"c","private_key":")";
    for (const char c : std::string_view(made.pem)) json += c == '\n' ? std::string("\\n") : std::string(1, c);
    json += "\"}";
    memcpy(made.json, json.data(), json.size());
    memcpy(made.letters, strchr(made.pem + 400, '\n') + 1, kPart);
    part_of(key, OSSL_PKEY_PARAM_RSA_D, made.exponent);
    part_of(key, OSSL_PKEY_PARAM_RSA_FACTOR1, made.factor);
  }

  Texts *texts_ = nullptr;
};

}  // namespace secrets
