#include "core/crypto/service_account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/json.h"
#include "tests/unit/crypto/test_keys.h"

namespace fleetauth::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

json::Value text_value(const std::string &text) {
  json::Value value;
  value.type = json::Type::String;
  value.text = text;
  return value;
}

// A key file as Google writes it, with a patch (RFC 7396).
std::string file(const std::string &patch = "{}") {
  json::Value root;
  root.type = json::Type::Object;
  for (const auto &[name, value] : {std::pair<const char *, std::string>{"type", "service_account"},
                                    {"project_id", "acme-fleet"},
                                    {"private_key_id", "0123456789abcdef0123456789abcdef01234567"},
                                    {"private_key", test::pkcs8(test::rsa())},
                                    {"client_email", "signer@acme-fleet.iam.gserviceaccount.com"},
                                    {"client_id", "123456789012345678901"},
                                    {"token_uri", "https://oauth2.googleapis.com/token"}}) {
    root.members.emplace_back(name, text_value(value));
  }
  return json::to_text(json::merge_patch(root, *json::parse_tree(patch, "patch", Status::Config)));
}

std::string refusal(const std::string &text, Status status = Status::Key) {
  const auto account = parse_service_account(text, "key.json");
  EXPECT_FALSE(account);
  if (account) return "accepted";
  EXPECT_EQ(account.error()->status, status);
  EXPECT_THAT(account.error()->message, Not(HasSubstr("MII")));
  return account.error()->message;
}

TEST(ServiceAccount, ReadsAKeyFile) {
  for (const std::string &text : {file(), " \n" + file() + "\n", file(R"({"private_key_id":"\u0061"})")}) {
    const auto account = parse_service_account(text, "key.json");
    ASSERT_TRUE(account) << account.error()->message;
    EXPECT_EQ(account->client_email, "signer@acme-fleet.iam.gserviceaccount.com");
    EXPECT_EQ(account->project_id, "acme-fleet");
    EXPECT_FALSE(account->private_key_id.empty());
    const auto signature = account->key->sign_rs256("bytes");
    ASSERT_TRUE(signature);
    EXPECT_TRUE(test::verifies(test::rsa(), "bytes", signature->view()));
  }
}

TEST(ServiceAccount, T18_NamesMembersThatAreWrong) {
  for (const std::string member : {"type", "client_email", "private_key_id", "project_id", "private_key"}) {
    const std::string name = "key.json: the member \"" + member + "\" ";
    EXPECT_THAT(refusal(file("{\"" + member + "\":null}")), StartsWith(name + "is missing. Create a JSON key for the service account"));
    EXPECT_EQ(refusal(file("{\"" + member + "\":\"\"}")), name + "is empty");
    EXPECT_EQ(refusal(file("{\"" + member + "\":7}")), name + "is not a string");
    EXPECT_EQ(refusal(file("{\"" + member + "\":[\"x\"]}")), name + "is not a string");
  }
  EXPECT_EQ(refusal(R"({"type":null})"), "key.json: the member \"type\" is not a string");
}

TEST(ServiceAccount, T18_SaysWhatElseAFileIs) {
  struct Case {
    std::string text;
    const char *found;
  };
  for (const Case &c :
       {Case{file(R"({"type":"authorized_user"})"),
             "of the type \"authorized_user\" (a person's login, as gcloud writes it). Create a JSON key"},
        Case{file(R"({"type":"external_account"})"), "of the type \"external_account\" (workload identity federation). Create"},
        Case{file(R"({"type":"impersonated_service_account"})"), "(a login that impersonates a service account). Create"},
        Case{file(R"({"type":"Service_Account <b>"})"), "the member \"type\" is not \"service_account\". Create a JSON key"},
        Case{R"({"installed":{"client_id":"x"}})", "not a service account's key but an OAuth client. Create a JSON key"},
        Case{R"({"web":{"client_id":"x"}})", "not a service account's key but an OAuth client"},
        Case{R"({})", "the member \"type\" is missing. Create a JSON key"}, Case{"[]", "not a service account's key: it is no JSON object"},
        Case{"7", "it is no JSON object"}, Case{"\"text\"", "it is no JSON object"}}) {
    const std::string message = refusal(c.text);
    EXPECT_THAT(message, StartsWith("key.json: "));
    EXPECT_THAT(message, HasSubstr(c.found));
  }
}

TEST(ServiceAccount, T18_RefusesKeysThatCannotBeUsed) {
  const auto with_key = [](const std::string &pem) {
    SecretBytes patch("{\"private_key\":");
    json::append_string(patch, pem);
    patch.append("}");
    return file(std::string(patch.view()));
  };
  struct Case {
    std::string pem;
    const char *found;
  };
  const std::string good = test::pkcs8(test::rsa());
  for (const Case &c :
       {Case{test::pkcs8(test::rsa(1024)), "is too weak: it has 1024 bits"},
        Case{test::pkcs8(test::other("EC")), "is an elliptic-curve (EC) key"},
        Case{test::encrypted_pkcs8(test::rsa()), "is encrypted with a passphrase"}, Case{test::public_key(test::rsa()), "is a public key"},
        Case{good.substr(0, 800), "is cut off"}, Case{good + good, "is several PEM blocks"},
        Case{"hunter2", "is not PEM: it has no BEGIN line"},
        Case{"-----BEGIN PRIVATE KEY-----\\nAA==\\n-----END PRIVATE KEY-----\\n", "has \"\\n\" where its lines should break"}}) {
    const std::string message = refusal(with_key(c.pem));
    EXPECT_THAT(message, StartsWith("key.json: the member \"private_key\": the signing key "));
    EXPECT_THAT(message, HasSubstr(c.found));
    EXPECT_THAT(message, Not(HasSubstr("hunter2")));
  }
}

TEST(ServiceAccount, T18_MalformedFilesAreNamedWithTheLine) {
  EXPECT_THAT(refusal(""), StartsWith("key.json:1: not valid JSON: it is empty"));
  EXPECT_THAT(refusal("{\n\"type\": \"service_account\"\n\"project_id\": \"x\"\n}"), StartsWith("key.json:3: not valid JSON"));
  EXPECT_THAT(refusal(test::pkcs8(test::rsa())), StartsWith("key.json:1: not valid JSON"));
  EXPECT_THAT(refusal("{\"private_key\":\"a\",\"private_key\":\"b\"}"),
              StartsWith("key.json: not valid JSON: an object has two members of the same name"));
  const std::string whole = file();
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_THAT(refusal(whole.substr(0, size)), HasSubstr("not valid JSON")) << size;
}

TEST(ServiceAccount, RefusesWhatIsTooLong) {
  EXPECT_EQ(refusal(file() + std::string(64 * 1024, ' ')), "key.json: longer than 64 KiB; this is not a service account's key");
}

TEST(ServiceAccount, SourcesArePrintable) {
  const auto account = parse_service_account("[]", "a\nb.json");
  ASSERT_FALSE(account);
  EXPECT_THAT(account.error()->message, StartsWith("a?b.json: "));
}

}  // namespace
}  // namespace fleetauth::crypto
