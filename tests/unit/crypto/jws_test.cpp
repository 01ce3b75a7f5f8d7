#include "core/crypto/jws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/crypto/signing_key.h"
#include "tests/unit/crypto/test_keys.h"

namespace fleetauth::crypto {
namespace {

TEST(Jws, MatchesRfc7515) {
  // Appendix A.1; the claims stand in it with line breaks.
  const SecretBytes input = signing_input("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
                                          "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
  EXPECT_EQ(input.view(),
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
  EXPECT_EQ(compact("a.b", "\xff\xfe\x00").view(), "a.b.__4");
  EXPECT_EQ(compact("a.b", std::string_view("\xff\xfe\x00", 3)).view(), "a.b.__4A");
  EXPECT_EQ(signing_input("", "").view(), ".");
}

TEST(Jws, TokensAreSignedOverWhatTheyBeginWith) {
  const test::Key made = test::rsa();
  const auto key = SigningKey::from_pem(test::pkcs8(made));
  ASSERT_TRUE(key);
  const SecretBytes input = signing_input(R"({"alg":"RS256"})", R"({"sub":"x"})");
  const auto signature = (*key)->sign_rs256(input.view());
  ASSERT_TRUE(signature);
  const SecretBytes token = compact(input.view(), signature->view());
  EXPECT_THAT(std::string(token.view()), testing::MatchesRegex("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+"));
  EXPECT_TRUE(test::verifies(made, token.view().substr(0, token.view().rfind('.')), signature->view()));
}

}  // namespace
}  // namespace fleetauth::crypto
