#include "core/base/base64.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace fleetauth {
namespace {

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::vector<std::pair<std::string, std::string>> vectors = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto &[bytes, text] : vectors) {
    EXPECT_EQ(base64::encode(bytes).view(), text);
    ASSERT_TRUE(base64::decode(text)) << text;
    EXPECT_EQ(base64::decode(text)->view(), bytes);
    const std::string unpadded = text.substr(0, text.find('='));
    EXPECT_EQ(base64::encode_url(bytes).view(), unpadded);
    ASSERT_TRUE(base64::decode_url(unpadded)) << unpadded;
    EXPECT_EQ(base64::decode_url(unpadded)->view(), bytes);
  }
}

TEST(Base64, EveryByteSurvives) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(base64::decode(base64::encode(all).view())->view(), all);
  EXPECT_EQ(base64::decode_url(base64::encode_url(all).view())->view(), all);
}

TEST(Base64, AlphabetsDiffer) {
  EXPECT_EQ(base64::encode("\xfb\xff\xfe").view(), "+//+");
  EXPECT_EQ(base64::encode_url("\xfb\xff\xfe").view(), "-__-");
  EXPECT_FALSE(base64::decode("-__-"));
  EXPECT_FALSE(base64::decode_url("+//+"));
}

TEST(Base64, RefusesWhatIsNotExact) {
  for (const char *text : {"Zg", "Zg=", "Zg===", "====", "A===", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Z=g=", "Zg==Zg=="}) {
    EXPECT_FALSE(base64::decode(text)) << text;
  }
  for (const char *text : {"Z", "Zg==", "Zh", "Zm9", "Zm9vY", "Zg\n"}) {
    EXPECT_FALSE(base64::decode_url(text)) << text;
  }
}

}  // namespace
}  // namespace fleetauth
