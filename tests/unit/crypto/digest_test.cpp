#include "core/crypto/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/crypto/fingerprint.h"
#include "core/crypto/init.h"
#include "core/crypto/random.h"

namespace fleetauth::crypto {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789abcdef"[c & 15];
  }
  return text;
}

TEST(Crypto, InitialisesOnce) {
  for (int i = 0; i < 2; ++i) {
    const ErrorPtr error = initialise();
    EXPECT_EQ(error, nullptr) << error->message;
  }
}

TEST(Crypto, Sha256MatchesFips180) {
  EXPECT_EQ(hex(view(sha256("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(view(sha256(""))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Crypto, HmacMatchesRfc4231) {
  EXPECT_EQ(hex(view(hmac_sha256(std::string(20, '\x0b'), "Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(view(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hex(view(hmac_sha256({}, {}))), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Crypto, HkdfMatchesRfc5869) {
  EXPECT_EQ(hex(hkdf_sha256(std::string(22, '\x0b'), {}, {}, 42).view()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Crypto, RandomBytesDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    char bytes[16];
    random_bytes(bytes, sizeof bytes);
    seen.emplace(bytes, sizeof bytes);
  }
  EXPECT_EQ(seen.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    const double fraction = random_fraction();
    EXPECT_GE(fraction, 0.0);
    EXPECT_LT(fraction, 1.0);
  }
}

TEST(Fingerprint, NamesEqualSecretsAlikeAndTellsNothingElse) {
  const std::string name = fingerprint("secret");
  EXPECT_THAT(name, testing::MatchesRegex("tok:[0-9a-f]{8}"));
  EXPECT_EQ(fingerprint("secret"), name);
  EXPECT_NE(fingerprint("secres"), name);
  EXPECT_NE(name, "tok:" + hex(view(sha256("secret"))).substr(0, 8)) << "the key is missing";
  EXPECT_NE(name, "tok:" + hex(view(hmac_sha256(std::string(32, '\0'), "secret"))).substr(0, 8)) << "the key is not random";
}

TEST(Fingerprint, KeyedDigestsAreStableWithinTheProcess) {
  EXPECT_EQ(keyed_digest("a"), keyed_digest("a"));
  EXPECT_NE(keyed_digest("a"), keyed_digest("b"));
}

}  // namespace
}  // namespace fleetauth::crypto
