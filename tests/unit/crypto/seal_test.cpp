#include "core/crypto/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/crypto/digest.h"

namespace fleetauth::crypto {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kLabel = "fleetauth test";
constexpr std::string_view kContext = "account 7";
constexpr std::size_t kHeader = 92;
constexpr std::size_t kTag = 16;

std::string sealed(std::string_view secret = "hunter2", std::string_view context = kContext) {
  const auto record = seal(kKey, kLabel, context, secret);
  EXPECT_TRUE(record) << record.error()->message;
  return record ? std::string(record->view()) : "";
}

Result<SecretBytes> opened(std::string_view record) { return open(kKey, kLabel, kContext, record); }

void expect_refused(std::string_view record, Status status, const std::string &message) {
  const auto secret = opened(record);
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error()->status, status);
  EXPECT_THAT(secret.error()->message, HasSubstr(message));
}

TEST(Seal, OpensWhatItSealed) {
  for (const std::size_t size : {0U, 1U, 251U, 252U, 253U, 508U, 509U, 4096U, 65'535U, 65'536U}) {
    std::string secret(size, 's');
    for (std::size_t i = 0; i < size; i += 7) secret[i] = static_cast<char>(i);
    const auto back = opened(sealed(secret));
    ASSERT_TRUE(back) << size << back.error()->message;
    EXPECT_EQ(back->view(), secret);
  }
}

TEST(Seal, KeepsToItsLayout) {
  const std::string record = sealed();
  ASSERT_EQ(record.size(), kHeader + 256 + kTag);
  EXPECT_EQ(record.substr(0, 12), std::string("FLTSEAL\n\x01\x01\x00\x00", 12));
  const std::string salt = record.substr(12, 32);
  EXPECT_EQ(record.substr(56, 32), hkdf_sha256(kKey, salt, kLabel, 64).view().substr(32)) << "the commitment";
  EXPECT_EQ(record.substr(88, 4), std::string("\x00\x01\x00\x00", 4)) << "the size";
}

// A record as another implementation would make it, byte for byte: written down so that the format cannot change unnoticed.
TEST(Seal, OpensRecordsOfOldVersions) {
  const auto unhex = [](std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2)
      bytes.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
    return bytes;
  };
  const auto secret =
      opened(unhex("464c545345414c0a01010000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f6465666768696a6b6c6d6e6f"
                   "bdf99e9fa6f36a594d5685f2ba5c852b8a60393e89c669f55620c85b9cbad27a000100003c96f13c7998f914fcb7b747974b3d8500543bf2"
                   "224f8835c5dc460873010a7961b7273a47948c4a2734d6f3aa4cd75dc641863bec703b68463afc7a673a7e10b57f7519b16de510d90ad108"
                   "6cd9d24a43b33c450a70f81c604309e26171a8ae894738d0430983a86fd98fbb02ed9f0eb68de6a5f5558aabac3ca6a52695563afd120b50"
                   "16d181042a66360172d245727ee945a29698918a8b36fccdf707ad1949042db34af91e64a7d0aece8f945261982f3299f86c3f837d839fb6"
                   "3e2e2b9a57d09abde5aed328d04d8d1fcb15005516889953b3958b54294333147b98544f8f198bca2493578804ed43503dc1ef0327f6d361"
                   "161534b38a5b03fd9e3b84185264619794c5c1c88a49681d6fe76634"));
  ASSERT_TRUE(secret) << secret.error()->message;
  EXPECT_EQ(secret->view(), "hunter2");
}

TEST(Seal, LengthsTellLittle) {
  const std::set<std::size_t> sizes = {sealed("").size(), sealed("x").size(), sealed(std::string(252, 'x')).size()};
  EXPECT_EQ(sizes, std::set<std::size_t>{kHeader + 256 + kTag});
  EXPECT_EQ(sealed(std::string(253, 'x')).size(), kHeader + 512 + kTag);
}

TEST(Seal, NoTwoRecordsHaveAnythingInCommon) {
  std::set<std::string> salts, nonces, contents;
  for (int i = 0; i < 50; ++i) {
    const std::string record = sealed();
    salts.insert(record.substr(12, 32));
    nonces.insert(record.substr(44, 12));
    contents.insert(record.substr(kHeader));
  }
  EXPECT_EQ(salts.size(), 50U);
  EXPECT_EQ(nonces.size(), 50U);
  EXPECT_EQ(contents.size(), 50U);
  EXPECT_EQ(sealed().find("hunter2"), std::string::npos);
}

TEST(Seal, NothingThatWasChangedOpens) {
  const std::string record = sealed();
  for (std::size_t i = 0; i < record.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string changed = record;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const auto secret = opened(changed);
      ASSERT_FALSE(secret) << i;
      const bool of_the_key = (i >= 12 && i < 44) || (i >= 56 && i < 88);  // salt and commitment
      EXPECT_EQ(secret.error()->status, of_the_key ? Status::Key : Status::Crypto) << i;
      EXPECT_THAT(secret.error()->message, testing::Not(HasSubstr("hunter2")));
    }
  }
}

TEST(Seal, NothingThatWasCutOrExtendedOpens) {
  const std::string record = sealed();
  for (std::size_t size = 0; size < record.size(); ++size) {
    expect_refused(record.substr(0, size), Status::Crypto, size == 0 ? "this is not a sealed record: it is empty" : "it is cut off");
  }
  expect_refused(record + "x", Status::Crypto, "the sealed record is damaged: it is followed by other bytes");
  expect_refused(record + record, Status::Crypto, "followed by other bytes");
}

TEST(Seal, SaysWhatIsWrongWithARecord) {
  struct Case {
    std::size_t at;
    std::string instead;
    Status status;
    const char *message;
  };
  for (const Case &c :
       {Case{0, "PK", Status::Crypto, "this is not a sealed record: it does not begin as one"},
        Case{8, "\x02", Status::Crypto, "the sealed record is of a newer version. Upgrade this library to open it"},
        Case{8, "\xff", Status::Crypto, "of a newer version"},
        Case{8, std::string(1, '\0'), Status::Crypto, "the sealed record is damaged: its version does not exist"},
        Case{9, "\x02", Status::Crypto, "uses a cipher this version does not know. Upgrade"},
        Case{10, "\x01", Status::Crypto, "uses a cipher this version does not know"},
        Case{11, "\x01", Status::Crypto, "uses a cipher this version does not know"},
        Case{12, "changed", Status::Key, "the key does not open this sealed record"},
        Case{44, "changed", Status::Crypto, "the sealed record is damaged: its content was changed, or it belongs elsewhere"},
        Case{56, "changed", Status::Key, "the key does not open this sealed record"},
        Case{88, "\x01", Status::Crypto, "its size is impossible"},
        Case{88, std::string(4, '\0'), Status::Crypto, "its size is impossible"},
        Case{88, std::string("\x00\x02\x01\x00", 4), Status::Crypto, "its size is impossible"},
        Case{88, std::string("\x00\xff\xff\xff", 4), Status::Crypto, "its size is impossible"},
        Case{88, std::string("\x00\x02\x00\x00", 4), Status::Crypto, "it is cut off"},
        Case{92, "changed", Status::Crypto, "its content was changed"}, Case{348, "changed", Status::Crypto, "its content was changed"}}) {
    std::string record = sealed();
    record.replace(c.at, c.instead.size(), c.instead);
    expect_refused(record, c.status, c.message);
  }
  expect_refused("plain text", Status::Crypto, "this is not a sealed record");
  std::string shorter = sealed(std::string(300, 'x'));  // the size of another whole record
  shorter.replace(88, 4, std::string("\x00\x01\x00\x00", 4));
  expect_refused(shorter, Status::Crypto, "followed by other bytes");
  shorter.erase(kHeader + 256, 256);
  expect_refused(shorter, Status::Crypto, "its content was changed");
}

TEST(Seal, OpensWithItsKeyItsLabelAndItsContextOnly) {
  const std::string record = sealed();
  std::string key(kKey);
  for (std::size_t i = 0; i < key.size(); ++i) {
    std::string other = key;
    other[i] = static_cast<char>(other[i] ^ 1);
    const auto secret = open(other, kLabel, kContext, record);
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error()->status, Status::Key);
    EXPECT_THAT(secret.error()->message, StartsWith("the key does not open this sealed record: it was sealed with another key"));
  }
  const auto label = open(kKey, "fleetauth other", kContext, record);
  ASSERT_FALSE(label);
  EXPECT_EQ(label.error()->status, Status::Key);
  for (const std::string_view context : {std::string_view(), std::string_view("account 8"), std::string_view("account 7\0", 10)}) {
    const auto secret = open(kKey, kLabel, context, record);
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error()->status, Status::Crypto);
    EXPECT_THAT(secret.error()->message, HasSubstr("its content was changed, or it belongs elsewhere"));
  }
  const std::string long_context(100'000, 'c');
  EXPECT_TRUE(open(kKey, kLabel, long_context, sealed("x", long_context)));
  EXPECT_TRUE(open(kKey, kLabel, "", sealed("x", "")));
}

TEST(Seal, T18_RefusesKeysOfAnotherSize) {
  const std::string record = sealed();
  for (const std::size_t size : {0U, 16U, 31U, 33U, 64U}) {
    const std::string key(size, 'k');
    const std::string message = "the key for sealing has " + std::to_string(size) + " bytes; expected are exactly 32";
    const auto made = seal(key, kLabel, kContext, "hunter2");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error()->status, Status::Key);
    EXPECT_EQ(made.error()->message, message);
    const auto secret = open(key, kLabel, kContext, record);
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error()->status, Status::Key);
    EXPECT_EQ(secret.error()->message, message);
  }
}

TEST(Seal, RefusesWhatIsTooLong) {
  const auto secret = seal(kKey, kLabel, kContext, std::string(kMostSealed + 1, 'x'));
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error()->status, Status::InvalidArgument);
  EXPECT_EQ(secret.error()->message, "the secret to seal is longer than 64 KiB");
  const std::string label(256, 'l');
  for (const auto &result : {seal(kKey, label, kContext, "x").error(), open(kKey, label, kContext, sealed()).error()}) {
    EXPECT_EQ(result->status, Status::InvalidArgument);
    EXPECT_EQ(result->message, "the label for sealing is longer than 255 bytes");
  }
  EXPECT_TRUE(seal(kKey, label.substr(1), kContext, "x"));
}

}  // namespace
}  // namespace fleetauth::crypto
