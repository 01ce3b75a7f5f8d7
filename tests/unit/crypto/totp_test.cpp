#include "core/crypto/totp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace fleetauth::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

// The secrets of RFC 6238, appendix B: "12345678901234567890" and so on, as long as the hash.
constexpr const char *kSha1 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
constexpr const char *kSha256 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA";
constexpr const char *kSha512 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA";

std::string uri(const std::string &secret, const std::string &more = "") { return "otpauth://totp/Acme:joe?secret=" + secret + more; }

std::string code(const std::string &text, std::int64_t unix_ms) {
  const auto secret = TotpSecret::parse(text);
  EXPECT_TRUE(secret) << secret.error()->message;
  return secret ? std::string(secret->code(unix_ms).view()) : "";
}

TEST(Totp, MatchesRfc6238) {
  struct Case {
    std::int64_t seconds;
    const char *sha1, *sha256, *sha512;
  };
  for (const Case &c :
       {Case{59, "94287082", "46119246", "90693936"}, Case{1'111'111'109, "07081804", "68084774", "25091201"},
        Case{1'111'111'111, "14050471", "67062674", "99943326"}, Case{1'234'567'890, "89005924", "91819424", "93441116"},
        Case{2'000'000'000, "69279037", "90698825", "38618901"}, Case{20'000'000'000, "65353130", "77737706", "47863826"}}) {
    EXPECT_EQ(code(uri(kSha1, "&digits=8"), c.seconds * 1000), c.sha1);
    EXPECT_EQ(code(uri(kSha256, "&digits=8&algorithm=SHA256"), c.seconds * 1000 + 999), c.sha256);
    EXPECT_EQ(code(uri(kSha512, "&algorithm=SHA512&digits=8"), c.seconds * 1000), c.sha512);
    EXPECT_EQ(code(kSha1, c.seconds * 1000), std::string(c.sha1).substr(2)) << "a bare secret has six digits";
    EXPECT_EQ(code(uri(kSha1, "&digits=7"), c.seconds * 1000), std::string(c.sha1).substr(1));
  }
}

TEST(Totp, CodesHoldForOnePeriod) {
  const auto secret = TotpSecret::parse(kSha1);
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->step(59'999), 1);
  EXPECT_EQ(secret->step(60'000), 2);
  EXPECT_EQ(secret->code(30'000).view(), secret->code(59'999).view());
  EXPECT_NE(secret->code(59'999).view(), secret->code(60'000).view());
  const auto minute = TotpSecret::parse(uri(kSha1, "&period=60"));
  ASSERT_TRUE(minute);
  EXPECT_EQ(minute->period(), 60);
  EXPECT_EQ(minute->code(119'999).view(), secret->code(30'000).view()) << "both are the first step";
}

TEST(Totp, AnyTimeHasACode) {
  const auto secret = TotpSecret::parse(kSha1);
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->code(-1).view(), secret->code(0).view());
  EXPECT_EQ(secret->code(std::numeric_limits<std::int64_t>::min()).view(), secret->code(0).view());
  EXPECT_EQ(secret->code(std::numeric_limits<std::int64_t>::max()).size(), 6U);
}

TEST(Totp, ReadsSecretsAsProvidersShowThem) {
  for (const std::string &text :
       {std::string("gezdgnbvgy3tqojqgezdgnbvgy3tqojq"), std::string(" GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ\n"),
        std::string("gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq"),
        std::string(kSha1) + "======", std::string("GEZDGNBVGY3TQOJQ\r\n\tGEZDGNBVGY3TQOJQ = \n"),
        uri("GEZDGNBVGY3TQOJQ%20GEZDGNBVGY3TQOJQ%3D%3d"), uri("gezdgnbvgy3tqojqgezdgnbvgy3tqojq", "&issuer=Acme%20Fleet&image=x"),
        "  " + uri(kSha1) + "\n", "OTPAUTH://TOTP/?issuer=Acme&&x&SECRET=" + std::string(kSha1) + "&algorithm=sha1&digits=6&period=30",
        uri(kSha1, "&counter=1&digits=6&")}) {
    EXPECT_EQ(code(text, 59'000), "287082") << text;
  }
  const auto defaults = TotpSecret::parse(uri(kSha1));
  ASSERT_TRUE(defaults);
  EXPECT_EQ(defaults->digits(), 6);
  EXPECT_EQ(defaults->period(), 30);
  EXPECT_EQ(defaults->algorithm(), TotpSecret::Algorithm::Sha1);
  for (const int period : {15, 120}) {
    const auto secret = TotpSecret::parse(uri(kSha1, "&period=" + std::to_string(period)));
    ASSERT_TRUE(secret);
    EXPECT_EQ(secret->period(), period);
  }
}

TEST(Totp, RefusesWhatItCannotUseAndSaysWhy) {
  struct Case {
    std::string text;
    const char *found;
  };
  const std::string secret = kSha1;
  for (const Case &c :
       {Case{"", "is empty; expected is the base32 text the provider shows, or an otpauth://totp/ URI"},
        {" \n--", "is empty"},
        {"====", "is empty"},
        {uri(""), "is empty"},
        {"GEZDGNBVGY3TQOJ1", "is not base32: only the letters A to Z and the digits 2 to 7 may occur in it"},
        {"GEZDGNBV=Y3TQOJQ", "is not base32"},
        {"GEZDGNBVGY3TQOJQ\x80", "is not base32"},
        {std::string("GEZDGNBVGY3TQOJQ\0", 17), "is not base32"},
        {"otpauthGEZDGNBVGY3TQOJQ!", "is not base32"},
        {uri("GEZDGNBVGY3TQOJQ%00"), "is not base32"},
        {"GEZDGNBVGY3TQOJ", "is cut off: its last letters are no whole byte. Copy all of it"},
        {"GEZDGNBVGY3TQOJQG", "is cut off"},
        {"GEZDGNBVGY3TQOJQGEZ", "is cut off"},
        {"GEZDGNBVGY3TQOJQGEZDGN", "is cut off"},
        {"GEZDGNBVGY3TQOJQGF", "is cut off"},
        {"GEZDGNBVGY3TQOI", "has 9 bytes; expected are 10 or more (16 letters in base32)"},
        {"GE", "has 1 bytes; expected are 10 or more"},
        {uri("GEZDGNBV"), "has 5 bytes; expected are 10 or more"},
        {std::string(4097, 'A'), "is longer than 4 KiB"},
        {"otpauth://hotp/Acme?secret=" + secret + "&counter=1", "is counter-based (otpauth://hotp); only time-based secrets"},
        {"otpauth://steam/Acme?secret=" + secret, "is a URI of another kind than otpauth://totp/"},
        {"otpauth:totp?secret=" + secret, "is a URI of another kind"},
        {"otpauth://totp?secret=" + secret, "is a URI of another kind"},
        {"otpauth-migration://offline?data=" + secret, "is an export of several accounts (otpauth-migration:)"},
        {"otpauth://totp/Acme", "is an otpauth URI without the parameter \"secret\""},
        {"otpauth://totp/Acme?digits=6", "is an otpauth URI without the parameter \"secret\""},
        {uri(secret, "&secret=" + secret), "is an otpauth URI which has the parameter \"secret\" twice"},
        {uri(secret, "&digits=6&Digits=8"), "is an otpauth URI which has the parameter \"digits\" twice"},
        {uri("GEZDGNBV%4"), "is an otpauth URI whose parameter \"secret\" has a malformed % escape"},
        {uri("GEZDGNBV%zz"), "has a malformed % escape"},
        {uri("GEZDGNBV%-1"), "has a malformed % escape"},
        {uri(secret, "&algorithm=MD5"), "is an otpauth URI of an unknown algorithm; expected is SHA1, SHA256 or SHA512"},
        {uri(secret, "&algorithm="), "is an otpauth URI of an unknown algorithm"},
        {uri(secret, "&digits=5"), "is an otpauth URI whose \"digits\" is not 6, 7 or 8"},
        {uri(secret, "&digits=9"), "whose \"digits\" is not 6, 7 or 8"},
        {uri(secret, "&digits=6x"), "whose \"digits\" is not 6, 7 or 8"},
        {uri(secret, "&digits"), "whose \"digits\" is not 6, 7 or 8"},
        {uri(secret, "&period=14"), "whose \"period\" is not 15 to 120 seconds"},
        {uri(secret, "&period=121"), "whose \"period\" is not 15 to 120 seconds"},
        {uri(secret, "&period=0"), "whose \"period\" is not 15 to 120 seconds"},
        {uri(secret, "&period=-30"), "whose \"period\" is not 15 to 120 seconds"},
        {uri(secret, "&period=99999999999999999999"), "whose \"period\" is not 15 to 120 seconds"}}) {
    const auto refused = TotpSecret::parse(c.text);
    ASSERT_FALSE(refused) << c.text;
    EXPECT_EQ(refused.error()->status, Status::Config);
    EXPECT_THAT(refused.error()->message, testing::AllOf(testing::StartsWith("the TOTP secret "), HasSubstr(c.found))) << c.text;
    EXPECT_THAT(refused.error()->message, Not(HasSubstr("GEZ")));
  }
}

}  // namespace
}  // namespace fleetauth::crypto
