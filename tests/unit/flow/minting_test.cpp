#include <gmock/gmock.h>

#include "core/base/base64.h"
#include "core/crypto/signing_key.h"
#include "tests/unit/crypto/test_keys.h"
#include "tests/unit/flow/scene.h"

namespace fleetauth::flow {
namespace {

using ::testing::HasSubstr;
using Options = std::vector<std::pair<std::string, std::string>>;

const std::string kTimes = R"("iat":1767323035,"exp":)";  // 10 s before kNow
const std::string kIssuer = R"("iss":"robot@acme.test","sub":"robot@acme.test","aud":"https://fleetengine.googleapis.com/")";

std::string key_file(const std::string &key_id = "key-1") {
  std::string pem;
  for (const char c : crypto::test::pkcs8(crypto::test::rsa())) pem += c == '\n' ? "\\n" : std::string(1, c);
  return R"({"type":"service_account","project_id":"acme","client_email":"robot@acme.test","private_key_id":")" + key_id +
         R"(","private_key":")" + pem + "\"}";
}

std::string decoded(std::string_view part) {
  const auto bytes = base64::decode_url(part);
  EXPECT_TRUE(bytes);
  return bytes ? std::string(bytes->view()) : "";
}

/// The parts of a signing input or of a token, decoded.
std::vector<std::string> parts(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t dot = 0; dot != std::string_view::npos; text.remove_prefix(std::min(text.size(), dot + 1))) {
    dot = text.find('.');
    out.push_back(decoded(text.substr(0, dot)));
  }
  return out;
}

/// What makes the tokens of a provider, and what it says.
class Mint {
 public:
  explicit Mint(const Options &options, bool host_signs = false, std::shared_ptr<const provider::Descriptor> descriptor = nullptr) {
    std::vector<provider::GivenValue> given;
    for (const auto &[name, text] : options) given.push_back({name, SecretBytes(text)});
    if (descriptor == nullptr) descriptor = *provider::builtin("fleet_engine");
    auto config = provider::configure(std::move(descriptor), given, host_signs);
    if (!config) throw std::runtime_error(config.error()->message);
    config_ = std::make_unique<provider::ClientConfig>(std::move(*config));
  }

  std::unique_ptr<Machine> machine(std::string_view claims = R"({"vehicleid":"v1"})") const {
    auto read = provider::read_claims(config_->descriptor->claims, {}, claims);
    if (!read) throw std::runtime_error(read.error()->message);
    return make_minting(*config_, config_->descriptor->credentials.front(), {"", std::move(*read)});
  }
  Sign order(std::string_view claims = R"({"vehicleid":"v1"})", const Now &now = kNow) const {
    Effect effect = machine(claims)->start(now);
    return std::move(std::get<Sign>(effect));
  }
  std::string input(std::string_view claims = R"({"vehicleid":"v1"})", const Now &now = kNow) const {
    return std::string(order(claims, now).input.view());
  }
  std::string payload(std::string_view claims = R"({"vehicleid":"v1"})") const { return parts(input(claims)).at(1); }

 private:
  std::unique_ptr<provider::ClientConfig> config_;
};

Mint with_key(Options more = {}) {
  more.emplace_back("service_account", key_file());
  return Mint(more);
}

TEST(Minting, WhatIsSignedIsExactlyThis) {
  const Mint mint({{"client_email", "robot@acme.test"}, {"key_id", "key-1"}}, true);
  const auto encoded = [](const std::string &text) { return std::string(base64::encode_url(text).view()); };
  EXPECT_EQ(mint.input(), encoded(R"({"alg":"RS256","typ":"JWT","kid":"key-1"})") + "." +
                              encoded("{" + kIssuer + R"(,"authorization":{"vehicleid":"v1"},)" + kTimes + "1767326635}"));
  const Sign order = mint.order();
  EXPECT_EQ(order.key, nullptr);
  EXPECT_EQ(order.key_id, "key-1");
  EXPECT_EQ(with_key().input(), mint.input()) << "the key's file says the same";
}

TEST(Minting, T18_TheAlgorithmIsTheKeysAndNeverAnInput) {
  const std::string id = R"(","alg":"none","x":")";
  const Mint mint({{"client_email", "robot@acme.test"}, {"key_id", id}}, true);
  EXPECT_EQ(parts(mint.input()).front(), R"({"alg":"RS256","typ":"JWT","kid":"\",\"alg\":\"none\",\"x\":\""})");
  const Mint other({{"client_email", R"(a","aud":"b)"}}, true);
  EXPECT_EQ(parts(other.input()).front(), R"({"alg":"RS256","typ":"JWT"})");
  EXPECT_THAT(other.payload(), HasSubstr(R"("iss":"a\",\"aud\":\"b","sub":"a\",\"aud\":\"b","aud":"https://fleetengine.)"));
  EXPECT_THAT(mint.payload(R"({"vehicleid":"a\"}}"})"), HasSubstr(R"("authorization":{"vehicleid":"a\"}}"})"));
}

TEST(Minting, LifetimeAndAudienceAreAsTheClientSays) {
  EXPECT_THAT(with_key({{"lifetime_s", "60"}}).payload(), HasSubstr(kTimes + "1767323095}"));
  EXPECT_THAT(with_key({{"audience", "https://other.test/"}}).payload(), HasSubstr(R"("aud":"https://other.test/")"));
}

TEST(Minting, TheTimeOfIssueLiesInThePastAndTheEndWithinTheHour) {
  // Fleet Engine takes what was issued up to 10 minutes ago, and refuses what ends later than in an hour, by its own clock.
  const Mint mint = with_key();
  for (const std::int64_t off_s : {-590, 0, 10}) {
    const std::string payload = parts(mint.input("{\"tripid\":\"t\"}", {.boot = 5, .wall = kNow.wall + off_s * 1000 + 999})).at(1);
    const std::int64_t server = kNow.wall / 1000;
    const std::int64_t issued = server + off_s - 10;
    EXPECT_THAT(payload, HasSubstr("\"iat\":" + std::to_string(issued) + ",\"exp\":" + std::to_string(issued + 3600) + "}"));
    EXPECT_GE(issued, server - 600);
    EXPECT_LE(issued, server);
    EXPECT_LE(issued + 3600, server + 3600);
  }
}

TEST(Minting, T18_TheTokenIsTheInputWithItsSignature) {
  const Mint mint = with_key();
  const auto machine = mint.machine();
  Effect effect = machine->start(kNow);
  const auto &order = std::get<Sign>(effect);
  ASSERT_NE(order.key, nullptr);
  const auto signature = order.key->sign_rs256(order.input.view());
  ASSERT_TRUE(signature);
  Effect granted = machine->on_signature(signature->clone(), {.boot = kNow.boot + 2000, .wall = kNow.wall + 2000});
  const Grant &grant = std::get<Granted>(granted).grant;
  EXPECT_EQ(grant.lifetime_ms, 3'588'000) << "from now on: 10 s back-dated, 2 s for the signature";
  const std::string token(grant.access.view());
  EXPECT_EQ(token.substr(0, token.rfind('.')), order.input.view());
  EXPECT_TRUE(crypto::test::verifies(crypto::test::rsa(), order.input.view(), parts(token).at(2)));
  EXPECT_TRUE(grant.refresh.empty());
}

TEST(Minting, ASignatureIsNeitherEmptyNorEndless) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{2049}}) {
    const Mint mint = with_key();
    const auto machine = mint.machine();
    (void)machine->start(kNow);
    const Effect effect = machine->on_signature(SecretBytes(std::string(size, 's')), kNow);
    const Error &error = *std::get<Failed>(effect).error;
    EXPECT_EQ(error.status, Status::Crypto);
    EXPECT_EQ(error.provider, "fleet_engine");
    EXPECT_EQ(error.message, "fleet_engine: the signature is empty or too long");
  }
}

TEST(Minting, TooManyClaimsMakeNoToken) {
  std::string ids;
  for (int i = 0; i < 999; ++i) ids += "\"task-" + std::to_string(i) + "-of-many\",";
  const Mint mint = with_key();
  const auto machine = mint.machine(R"({"taskids":[)" + ids + "\"last\"]}");
  (void)machine->start(kNow);
  const Effect effect = machine->on_signature(SecretBytes(std::string(256, 's')), kNow);
  EXPECT_EQ(std::get<Failed>(effect).error->message, "fleet_engine: the token is above 16 KiB; name fewer claims");
}

TEST(Minting, WhyNothingWasSignedIsSaid) {
  const Mint mint = with_key();
  const auto machine = mint.machine();
  (void)machine->start(kNow);
  Error why;
  why.status = Status::Callback;
  why.message = "the host's signer failed (HsmError)";
  const Effect effect = machine->on_failure({fail(std::move(why)), Sent::No}, kNow);
  const Error &error = *std::get<Failed>(effect).error;
  EXPECT_EQ(error.status, Status::Callback);
  EXPECT_EQ(error.message, "fleet_engine: the token could not be signed: the host's signer failed (HsmError)");
  EXPECT_EQ(error.provider, "fleet_engine");
}

TEST(Minting, AnAnswerThatNobodyAskedForIsRefused) {
  const Mint mint = with_key();
  EXPECT_EQ(std::get<Failed>(mint.machine()->on_response(answer(200, "{}"), kNow)).error->status, Status::Crypto);
  const Scene scene = Scene::fleetup();
  const auto login = scene.machine();
  (void)login->start(kNow);
  EXPECT_EQ(std::get<Failed>(login->on_signature(SecretBytes("s"), kNow)).error->status, Status::Internal);
}

TEST(Minting, APayloadIsOfAnyShape) {
  const auto payload = [](const std::string &rule, std::string_view claims) {
    auto descriptor = provider::parse_descriptor(R"({
      "descriptor": 1, "name": "acme", "title": "Acme",
      "parameters": {
        "account": {"type": "text", "secret": true, "doc": "The key file."},
        "mail": {"type": "text", "doc": "The e-mail address."},
        "fleet": {"type": "integer", "default": 7, "doc": "The fleet."}
      },
      "claims": {"names": {"truck": {"doc": "A truck."}}},
      "origins": {"api": "https://api.acme.example"},
      "credentials": {"token": {
        "flow": "signed_jwt", "key": {"service_account": "account", "issuer": "mail"}, "lifetime_s": 300, "payload": )" +
                                                     rule + R"(
      }},
      "schemes": {"bearer": {"credential": "token", "headers": {"Authorization": ["Bearer ", {"$token": true}]}}},
      "apis": {"all": {"origin": "api", "path": "/", "schemes": ["bearer"]}}
    })",
                                                 "acme.json");
    if (!descriptor) return descriptor.error()->message;
    const Mint mint({{"mail", "robot@acme.test"}}, true, std::make_shared<const provider::Descriptor>(std::move(*descriptor)));
    return mint.payload(claims);
  };
  const std::string truck = R"({"truck":"a"})";
  EXPECT_EQ(payload("{}", truck), "{" + kTimes + "1767323335}");
  EXPECT_EQ(payload(R"({"fleet": {"$param": "fleet"}, "who": [{"$issuer": true}, true, null]})", truck),
            R"({"fleet":7,"who":["robot@acme.test",true,null],)" + kTimes + "1767323335}");
  EXPECT_EQ(payload(R"({"truck": {"$claim": "truck"}})", truck), R"({"truck":"a",)" + kTimes + "1767323335}");
}

}  // namespace
}  // namespace fleetauth::flow
