// What of a private key is left in this process. The key is made in another one, for whoever makes keys leaves traces of them.
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
#include <string>

#include "core/crypto/service_account.h"
#include "core/crypto/signing_key.h"
#include "tests/secrets/memory_scan.h"

namespace secrets {
namespace {

using fleetauth::crypto::SigningKey;

constexpr std::size_t kPart = 48;

// Shared with the process that makes the key. The searches leave it out by unmapping it before.
struct Made {
  char pem[4096];
  char json[8192];
  char letters[kPart];   // of the PEM text
  char exponent[kPart];  // of the private one, big-endian as DER has it
  char factor[kPart];
};

void part_of(EVP_PKEY *key, const char *name, char (&part)[kPart]) {
  BIGNUM *number = nullptr;
  unsigned char bytes[512];
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1 || BN_bn2bin(number, bytes) < 128) _exit(1);
  memcpy(part, bytes + 32, kPart);
}

void make_key(Made &made, bool pkcs8) {
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

class KeyResidue : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    void *memory = mmap(nullptr, sizeof(Made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    made = static_cast<Made *>(memory);
    const pid_t child = fork();
    if (child == 0) {
      make_key(*made, GetParam());
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0) << "no key could be made";
    needles.emplace("the text", Masked({made->letters, kPart}));
    for (const auto &[name, part] : {std::pair{"the exponent", made->exponent}, {"a factor", made->factor}}) {
      needles.emplace(std::string(name) + " as in the text", Masked({part, kPart}));
      char reversed[kPart];
      for (std::size_t i = 0; i < kPart; ++i) reversed[i] = part[kPart - 1 - i];
      numbers.emplace(std::string(name) + " as OpenSSL has it", Masked({reversed, kPart}));
      explicit_bzero(reversed, sizeof reversed);
    }
  }
  void TearDown() override { forget_source(); }

  void forget_source() {
    if (made != nullptr) munmap(made, sizeof(Made));
    made = nullptr;
  }

  static void expect_none(const std::map<std::string, Masked> &what) {
    for (const auto &[name, needle] : what) {
      for (const std::string &place : find_in_memory(needle)) ADD_FAILURE() << name << " is left at " << place;
    }
  }

  Made *made = nullptr;
  std::map<std::string, Masked> needles;  // never to be found
  std::map<std::string, Masked> numbers;  // to be found while the key lives
};

TEST_P(KeyResidue, T18_KeysLiveInOnePlaceAndDieThere) {
  auto key = SigningKey::from_pem(made->pem);
  ASSERT_TRUE(key) << key.error()->message;
  forget_source();
  ASSERT_TRUE((*key)->sign_rs256("bytes"));
  expect_none(needles);
  for (const auto &[name, number] : numbers) EXPECT_FALSE(find_in_memory(number).empty()) << name << ": the search finds nothing at all";
  key = fleetauth::ErrorPtr();
  expect_none(needles);
  expect_none(numbers);
}

TEST_P(KeyResidue, T18_RefusedKeysLeaveNothing) {
  for (char *place = made->pem; (place = strchr(place, '\n')) != nullptr; ++place) {
    const char kept = *place;
    *place = '*';
    EXPECT_FALSE(SigningKey::from_pem(made->pem));
    *place = kept;
  }
  forget_source();
  expect_none(needles);
  expect_none(numbers);
}

TEST_P(KeyResidue, T18_KeyFilesLeaveNothing) {
  auto account = fleetauth::crypto::parse_service_account(made->json, "key.json");
  ASSERT_TRUE(account) << account.error()->message;
  made->json[strlen(made->json) - 1] = ']';
  EXPECT_FALSE(fleetauth::crypto::parse_service_account(made->json, "key.json"));
  forget_source();
  expect_none(needles);
  account = fleetauth::ErrorPtr();
  expect_none(needles);
  expect_none(numbers);
}

INSTANTIATE_TEST_SUITE_P(Forms, KeyResidue, testing::Bool(), [](const auto &form) { return form.param ? "Pkcs8" : "Pkcs1"; });

}  // namespace
}  // namespace secrets
