#include "core/crypto/signing_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/crypto/test_keys.h"

namespace fleetauth::crypto {
namespace {

using test::Numbers;
using testing::HasSubstr;
using testing::StartsWith;

// The error a text is refused with, of which nothing may be quoted and nothing left in OpenSSL's queue.
std::string refusal(const std::string &text) {
  ERR_clear_error();
  const auto key = SigningKey::from_pem(text);
  EXPECT_FALSE(key);
  if (key) return "accepted";
  EXPECT_EQ(key.error()->status, Status::Key);
  EXPECT_THAT(key.error()->message, HasSubstr("; expected is the PEM text of one RSA private key"));
  EXPECT_EQ(ERR_peek_error(), 0UL);
  for (std::size_t at = 0; at + 24 <= text.size() && text.starts_with("-----BEGIN"); at += 8) {
    const std::string part = text.substr(at, 24);
    const bool quoted = key.error()->message.find(part) != std::string::npos;
    EXPECT_FALSE(quoted && part.find('-') == std::string::npos) << part;
  }
  return key.error()->message;
}

std::string replaced(std::string text, const std::string &what, const std::string &by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
  return text;
}

TEST(SigningKey, ReadsBothFormsOfOneKey) {
  for (const unsigned long exponent : {3UL, 65537UL}) {
    const test::Key made = test::rsa(2048, exponent);
    std::vector<std::string> texts = {test::pkcs8(made),
                                      test::traditional(made),
                                      Numbers(made).pkcs1(),
                                      replaced(test::pkcs8(made), "\n", "\r\n"),
                                      "\n  " + test::pkcs8(made) + "\r\n\t ",
                                      replaced(test::traditional(made), "\n", " ")};
    std::string without_end = test::pkcs8(made);
    without_end.pop_back();
    texts.push_back(without_end);
    for (const std::string &text : texts) {
      const auto key = SigningKey::from_pem(text);
      ASSERT_TRUE(key) << key.error()->message;
      EXPECT_EQ((*key)->bits(), 2048);
      const auto signature = (*key)->sign_rs256("bytes");
      ASSERT_TRUE(signature) << signature.error()->message;
      EXPECT_TRUE(test::verifies(made, "bytes", signature->view()));
    }
  }
}

TEST(SigningKey, SignsBytesOfAnySize) {
  const test::Key made = test::rsa();
  const auto key = SigningKey::from_pem(test::pkcs8(made));
  ASSERT_TRUE(key);
  for (const std::size_t size : {0U, 1U, 63U, 64U, 1'000'000U}) {
    const std::string bytes(size, '\0');
    const auto signature = (*key)->sign_rs256(bytes);
    ASSERT_TRUE(signature);
    EXPECT_EQ(signature->size(), 256U);
    EXPECT_TRUE(test::verifies(made, bytes, signature->view()));
    EXPECT_FALSE(test::verifies(made, bytes + "x", signature->view()));
    EXPECT_FALSE(test::verifies(test::rsa(2048, 3), bytes, signature->view()));
  }
  EXPECT_TRUE((*key)->sign_rs256({}));
}

TEST(SigningKey, TakesOddAndLongSizes) {
  for (const unsigned bits : {2050U, 3072U, 4096U}) {
    const test::Key made = test::rsa(bits);
    const auto key = SigningKey::from_pem(test::pkcs8(made));
    ASSERT_TRUE(key) << key.error()->message;
    EXPECT_EQ((*key)->bits(), static_cast<int>(bits));
    const auto signature = (*key)->sign_rs256("bytes");
    ASSERT_TRUE(signature);
    EXPECT_TRUE(test::verifies(made, "bytes", signature->view()));
  }
}

TEST(SigningKey, IsSharedByThreads) {
  const auto key = SigningKey::from_pem(test::pkcs8(test::rsa()));
  ASSERT_TRUE(key);
  const auto expected = (*key)->sign_rs256("bytes");
  ASSERT_TRUE(expected);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([shared = *key, &expected] {
      for (int round = 0; round < 10; ++round) EXPECT_EQ((*shared->sign_rs256("bytes")).view(), expected->view());
    });
  }
  for (std::thread &thread : threads) thread.join();
}

TEST(SigningKey, T18_RefusesWhatIsNoPrivateKeyInPem) {
  const test::Key made = test::rsa();
  const std::string text = test::pkcs8(made);
  const std::string der = test::body_of(text);
  struct Case {
    std::string text;
    const char *found;
  };
  for (const Case &c :
       {Case{"", "is empty"},
        {" \r\n\t", "is empty"},
        {"hunter2", "is not PEM: it has no BEGIN line"},
        {"/etc/keys/key.pem", "is not PEM: it has no BEGIN line"},
        {der, "is not PEM but looks like DER (convert it with \"openssl pkey -inform DER"},
        {"{\"private_key\":\"" + replaced(text, "\n", "\\n") + "\"}", "is a JSON text"},
        {"Bag Attributes\n" + text, "has other text before its BEGIN line (remove it)"},
        {text + "garbage", "is followed by other text (remove it)"},
        {text + std::string(1, '\0'), "is followed by other text"},
        {text + text, "is several PEM blocks (keep the private key alone)"},
        {text + test::traditional(made), "is several PEM blocks"},
        {text + test::certificate(made), "is several PEM blocks"},
        {test::certificate(made) + text, "is several PEM blocks"},
        {replaced(text, "\n", "\\n"), "has \"\\n\" where its lines should break"},
        {text + std::string(16 * 1024, ' '), "is longer than 16 KiB"},
        {replaced(text, "END PRIVATE", "END RSA PRIVATE"), "is damaged: its BEGIN and END lines differ"},
        {replaced(text, "END PRIVATE KEY-----", "END PRIVATE KEY---"), "is damaged: its END line is malformed"},
        {replaced(text, "BEGIN PRIVATE KEY-----", "BEGIN PRIVATE KEY"), "is "},
        {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "is damaged: what stands between BEGIN and END is not base64"},
        {"-----BEGIN PRIVATE KEY-----\nAA*A\n-----END PRIVATE KEY-----\n", "is damaged: what stands between BEGIN and END is not base64"},
        {replaced(text, "KEY-----\nMII", "KEY-----\nComment: x\n\nMII"), "has headers after its BEGIN line (remove them)"},
        {test::public_key(made), "is a public key"},
        {test::pem("RSA PUBLIC KEY", der), "is a public key"},
        {test::certificate(made), "is a certificate"},
        {test::certificate_request(made), "is a certificate request"},
        {test::pem("PKCS7", der), "is a PKCS#7 container"},
        {test::pem("SOMETHING", der), "is a PEM block of another kind"},
        {test::pem("OPENSSH PRIVATE KEY", der), "is an OpenSSH key (convert it with \"ssh-keygen"},
        {test::encrypted_pkcs8(made), "is encrypted with a passphrase (decrypt it with \"openssl pkey"},
        {test::traditional(made, true), "is encrypted with a passphrase (decrypt it with \"openssl pkey"}}) {
    EXPECT_THAT(refusal(c.text), StartsWith(std::string("the signing key ") + c.found));
  }
}

TEST(SigningKey, T18_RefusesKeysOfOtherAlgorithms) {
  struct Case {
    const char *algorithm;
    const char *found;
  };
  for (const Case &c : {Case{"EC", "is an elliptic-curve (EC) key"}, Case{"ED25519", "is an Ed25519 key"}, Case{"ED448", "is an Ed448 key"},
                        Case{"X25519", "is an X25519 key"}, Case{"X448", "is an X448 key"}, Case{"DSA", "is a DSA key"},
                        Case{"DH", "is a Diffie-Hellman key"}, Case{"RSA-PSS", "is an RSA-PSS key, which cannot make RS256 signatures"}}) {
    EXPECT_THAT(refusal(test::pkcs8(test::other(c.algorithm))), StartsWith(std::string("the signing key ") + c.found)) << c.algorithm;
  }
  std::string unknown = test::body_of(test::pkcs8(test::rsa()));
  ASSERT_EQ(unknown[19], '\x01') << "the last byte of the algorithm's name";
  unknown[19] = '\x7f';
  EXPECT_THAT(refusal(test::pem("PRIVATE KEY", unknown)), StartsWith("the signing key is a key of another algorithm than RSA"));
  EXPECT_THAT(refusal(test::traditional(test::other("EC"))), HasSubstr("is an elliptic-curve (EC) key"));
  EXPECT_THAT(refusal(test::traditional(test::other("DSA"))), HasSubstr("is a DSA key"));
  EXPECT_THAT(refusal(test::traditional(test::rsa_of_three_primes())), HasSubstr("is an RSA key of more than two primes"));
  EXPECT_THAT(refusal(test::pkcs8(test::rsa_of_three_primes())), HasSubstr("is an RSA key of more than two primes"));
}

TEST(SigningKey, T18_RefusesWeakAndEndlessKeys) {
  EXPECT_THAT(refusal(test::pkcs8(test::rsa(1024))), HasSubstr("is too weak: it has 1024 bits"));
  EXPECT_THAT(refusal(test::traditional(test::rsa(2046))), HasSubstr("is too weak: it has 2046 bits"));
  Numbers numbers(test::rsa());
  ASSERT_EQ(BN_set_bit(numbers.all[Numbers::n].get(), 16'384), 1);
  EXPECT_THAT(refusal(numbers.pkcs1()), HasSubstr("is too long: it has 16385 bits"));
  numbers = Numbers(test::rsa());
  ASSERT_EQ(BN_set_bit(numbers.all[Numbers::e].get(), 64), 1);
  EXPECT_THAT(refusal(numbers.pkcs1()), HasSubstr("has a public exponent of more than 64 bits"));
  for (BIGNUM *number : {numbers.all[Numbers::n].get(), numbers.all[Numbers::p].get()}) BN_zero(number);
  EXPECT_THAT(refusal(numbers.pkcs1()), HasSubstr("is too weak: it has 0 bits"));
}

TEST(SigningKey, T18_RefusesNumbersThatDoNotBelongTogether) {
  constexpr const char *kFound = "the signing key is damaged: its numbers do not belong together";
  const Numbers others(test::rsa(2048, 3));
  for (std::size_t which = 0; which < Numbers::kCount; ++which) {
    const auto refused = [&](const char *how, const std::function<void(Numbers::Number &)> &change) {
      Numbers numbers(test::rsa());
      change(numbers.all[which]);
      EXPECT_THAT(refusal(numbers.pkcs1()), StartsWith(kFound)) << which << " " << how;
    };
    refused("larger", [](const auto &number) { BN_add_word(number.get(), 2); });
    refused("smaller", [](const auto &number) { BN_sub_word(number.get(), 1); });
    refused("of another key", [&](auto &number) { number = others.all[which]; });
    if (which != Numbers::n) refused("zero", [](const auto &number) { BN_zero(number.get()); });
  }
  Numbers one(test::rsa());  // n = 1 * n
  one.all[Numbers::p] = test::number(1);
  one.all[Numbers::q] = one.all[Numbers::n];
  EXPECT_THAT(refusal(one.pkcs1()), StartsWith(kFound));
  Numbers identity(test::rsa());  // e = d = 1 signs with the text itself
  for (const auto which : {Numbers::e, Numbers::d, Numbers::dp, Numbers::dq}) identity.all[which] = test::number(1);
  EXPECT_THAT(refusal(identity.pkcs1()), StartsWith(kFound));
  Numbers swapped(test::rsa());
  std::swap(swapped.all[Numbers::p], swapped.all[Numbers::q]);
  EXPECT_THAT(refusal(swapped.pkcs1()), StartsWith(kFound));
}

TEST(SigningKey, T18_RefusesFactorsThatAreNotPrime) {
  for (int i = 0; i < 3; ++i) {
    const std::string text = Numbers(test::factor(1024, 2), test::factor(1026)).pkcs1();
    EXPECT_THAT(refusal(text), StartsWith("the signing key is damaged: its signatures cannot be verified"));
  }
  EXPECT_TRUE(SigningKey::from_pem(Numbers(test::factor(1024), test::factor(1026)).pkcs1()));
}

TEST(SigningKey, T18_RefusesTruncatedTexts) {
  for (const std::string &text : {test::pkcs8(test::rsa()), test::traditional(test::rsa())}) {
    for (std::size_t size = 0; size + 1 < text.size(); ++size) {
      EXPECT_THAT(refusal(text.substr(0, size)), StartsWith("the signing key is ")) << size;
    }
  }
}

TEST(SigningKey, T18_RefusesTruncatedContents) {
  const std::string pkcs8 = test::body_of(test::pkcs8(test::rsa()));
  const std::string pkcs1 = test::body_of(test::traditional(test::rsa()));
  constexpr const char *kFound = "the signing key is damaged: its content is cut off or malformed";
  for (std::size_t size = 1; size < pkcs8.size(); ++size) {
    EXPECT_THAT(refusal(test::pem("PRIVATE KEY", pkcs8.substr(0, size))), StartsWith(kFound)) << size;
  }
  for (std::size_t size = 1; size < pkcs1.size(); ++size) {
    EXPECT_THAT(refusal(test::pem("RSA PRIVATE KEY", pkcs1.substr(0, size))), StartsWith(kFound)) << size;
  }
  EXPECT_THAT(refusal(test::pem("PRIVATE KEY", pkcs8 + "x")), StartsWith(kFound));
  EXPECT_THAT(refusal(test::pem("RSA PRIVATE KEY", pkcs1 + "x")), StartsWith(kFound));
  EXPECT_THAT(refusal(test::pem("PRIVATE KEY", pkcs1)), StartsWith(kFound));
  EXPECT_THAT(refusal(test::pem("RSA PRIVATE KEY", pkcs8)), StartsWith("the signing key is damaged"));
}

TEST(SigningKey, T18_RefusesEveryFlippedBit) {
  const std::string pkcs1 = Numbers(test::rsa()).pkcs1_der();
  for (std::size_t i = 0; i < pkcs1.size(); ++i) {
    std::string changed = pkcs1;
    changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
    EXPECT_THAT(refusal(test::pem("RSA PRIVATE KEY", changed)), StartsWith("the signing key ")) << i;
  }
}

TEST(SigningKey, T18_TakesOneSpellingOfTheNumbersOnly) {
  const std::string der = Numbers(test::rsa()).pkcs1_der();
  struct Case {
    std::size_t at;
    std::string instead;
  };
  // The outer length, the version and the beginning of the modulus stand at fixed places: 30 82 xx xx 02 01 00 02 82 01 01 00.
  ASSERT_EQ(der.substr(4, 8), std::string("\x02\x01\x00\x02\x82\x01\x01\x00", 8));
  for (const Case &c : {Case{0, "\x31"}, Case{1, "\x80"}, Case{1, "\x83"}, Case{1, "\xff"}, Case{5, std::string(1, '\0')}, Case{6, "\x02"},
                        Case{6, "\x80"}, Case{7, "\x03"}, Case{8, "\x81"}, Case{11, "\x80"}, Case{11, "\x01"}}) {
    std::string changed = der;
    changed.replace(c.at, 1, c.instead);
    EXPECT_THAT(refusal(test::pem("RSA PRIVATE KEY", changed)), StartsWith("the signing key ")) << c.at;
  }
  EXPECT_FALSE(SigningKey::from_pem(test::pem("RSA PRIVATE KEY", std::string("\x30\x80\x00\x00", 4))));
  EXPECT_FALSE(SigningKey::from_pem(test::pem("RSA PRIVATE KEY", std::string("\x30\x81\x05\x02\x01\x00\x02\x00", 8))));
}

TEST(SigningKey, ReadsKeysWithAttributes) {
  // PrivateKeyInfo of version 1 with a public key or attributes behind the key (RFC 5958).
  const std::string der = test::body_of(test::pkcs8(test::rsa()));
  const std::string longer = der + std::string("\xa0\x02\x31\x00", 4);
  std::string text = longer;
  const std::size_t size = longer.size() - 4;
  text[2] = static_cast<char>(size >> 8);
  text[3] = static_cast<char>(size);
  EXPECT_TRUE(SigningKey::from_pem(test::pem("PRIVATE KEY", text)));
  text[6] = 1;
  EXPECT_TRUE(SigningKey::from_pem(test::pem("PRIVATE KEY", text)));
  text[6] = 2;
  EXPECT_FALSE(SigningKey::from_pem(test::pem("PRIVATE KEY", text)));
}

}  // namespace
}  // namespace fleetauth::crypto
