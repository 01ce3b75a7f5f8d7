#include "core/base/text.h"

#include <gtest/gtest.h>

#include "core/base/redact.h"

namespace fleetauth {
namespace {

TEST(Text, ComparesAsciiWithoutCase) {
  EXPECT_TRUE(text::equal_ignore_case("Content-Type", "content-TYPE"));
  EXPECT_FALSE(text::equal_ignore_case("a", "ab"));
  EXPECT_FALSE(text::equal_ignore_case("\xc4", "\xe4"));
  EXPECT_TRUE(text::contains_ignore_case("Invalid ApiKey value", "apikey"));
  EXPECT_TRUE(text::contains_ignore_case("x", ""));
  EXPECT_FALSE(text::contains_ignore_case("", "x"));
  EXPECT_EQ(text::lower("AbC-1"), "abc-1");
}

TEST(Text, TrimsSpacesAndTabs) {
  EXPECT_EQ(text::trim(" \ta b\t "), "a b");
  EXPECT_EQ(text::trim(" \t"), "");
}

TEST(Text, FindsTheNameThatWasMeant) {
  const std::vector<std::string_view> known = {"api_key", "acct_id", "secret", "base_url"};
  EXPECT_EQ(text::nearest("apikey", known), "api_key");
  EXPECT_EQ(text::nearest("acct-id", known), "acct_id");
  EXPECT_EQ(text::nearest("secert", known), "secret");
  EXPECT_EQ(text::nearest("BASE_URL", known), "base_url");
  EXPECT_EQ(text::nearest("password", known), std::nullopt);
  EXPECT_EQ(text::nearest("", known), std::nullopt);
  EXPECT_EQ(text::nearest(std::string(10'000, 'a'), known), std::nullopt);
}

TEST(Redact, J16_ErrorWordsAreFiltered) {
  EXPECT_EQ(redact::filter_code("invalid_grant"), "invalid_grant");
  EXPECT_EQ(redact::filter_code("\x1b[31mbad\r\nSet-Cookie: x=1\x00"), "31mbadSet-Cookiex1");
  EXPECT_EQ(redact::filter_code(std::string(1000, 'a')), std::string(redact::kMaxCode, 'a'));
}

TEST(Redact, PrintableTextsAreOneShortLine) {
  EXPECT_EQ(redact::printable("connection \x1b[1mlost\r\nSecond: line\x7f"), "connection ?[1mlost??Second: line?");
  EXPECT_EQ(redact::printable("Verbindung verloren: \xc3\xa4"), "Verbindung verloren: \xc3\xa4");
  EXPECT_EQ(redact::printable(std::string(256, 'a')), std::string(256, 'a'));
  EXPECT_EQ(redact::printable(std::string(255, 'a') + "\xc3\xa4"), std::string(255, 'a') + "...");
}

TEST(Redact, J10_TokensHoldVisibleAsciiOnly) {
  EXPECT_TRUE(redact::is_token("!~eyJ.a-b_c"));
  for (int c = 0; c < 256; ++c) {
    const std::string token = std::string("a") + static_cast<char>(c) + "b";
    EXPECT_EQ(redact::is_token(token), c >= 0x21 && c <= 0x7e) << c;
  }
}

TEST(Redact, J11_TokensHaveOneTo16384Characters) {
  EXPECT_FALSE(redact::is_token(""));
  EXPECT_TRUE(redact::is_token(std::string(16'384, 'a')));
  EXPECT_FALSE(redact::is_token(std::string(16'385, 'a')));
}

TEST(Redact, HeaderValuesCannotEndAHeader) {
  for (int c = 0; c < 256; ++c) {
    const std::string value = std::string("a") + static_cast<char>(c) + "b";
    EXPECT_EQ(redact::is_header_value(value), c >= 0x20 && c <= 0x7e) << c;
  }
  EXPECT_TRUE(redact::is_header_value(""));
  EXPECT_FALSE(redact::is_header_value(" a"));
  EXPECT_FALSE(redact::is_header_value("a "));
}

TEST(Redact, HeaderNamesAreTokensOfHttp) {
  EXPECT_TRUE(redact::is_header_name("X-Api-Key"));
  for (const char *bad : {"", "a b", "a:", "a\r\nb", "\xc3\xa4", "(x)"}) EXPECT_FALSE(redact::is_header_name(bad)) << bad;
}

}  // namespace
}  // namespace fleetauth
