// What is signed: an independent parser finds in it what was given, and nothing else.
// Input: a line with the issuer, a line with the id of the key, the rest is the JSON of claims.
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/base64.h"
#include "core/base/json.h"
#include "core/flow/machine.h"
#include "tests/fuzz/input.h"

using namespace fleetauth;
using fuzz::require;
using Json = nlohmann::json;

namespace {

constexpr flow::Now kNow{1'000'000, 1'767'323'045'000};

std::shared_ptr<const provider::Descriptor> fleet_engine() {
  static const auto *const descriptor = new std::shared_ptr<const provider::Descriptor>(*provider::builtin("fleet_engine"));
  return *descriptor;
}

Json part(std::string_view text) {
  const auto bytes = base64::decode_url(text);
  require(bytes.has_value(), "a part is base64url without padding");
  Json parsed = Json::parse(bytes->view(), nullptr, false);
  require(parsed.is_object(), "a part is a JSON object");
  return parsed;
}

void check(const flow::Sign &order, const std::string &issuer, const std::string &key_id, std::string_view claims) {
  const std::string_view input = order.input.view();
  const std::size_t dot = input.find('.');
  require(dot != std::string_view::npos && input.find('.', dot + 1) == std::string_view::npos, "two parts are signed");
  Json header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!key_id.empty()) header["kid"] = key_id;
  require(part(input.substr(0, dot)) == header, "the header is ours and names the key");

  const Json payload = part(input.substr(dot + 1));
  require(payload.size() == 6, "the payload has its six members");
  require(payload["iss"] == issuer && payload["sub"] == issuer, "the issuer is who was given");
  require(payload["aud"] == "https://fleetengine.googleapis.com/", "the audience is the provider's");
  require(payload["iat"] == kNow.wall / 1000 - 10 && payload["exp"] == kNow.wall / 1000 - 10 + 3600, "an hour, dated ten seconds back");
  require(payload["authorization"] == Json::parse(claims), "the claims are those that were asked for");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::string issuer(input.until('\n'));
  const std::string key_id(input.until('\n'));
  const std::string claims(input.all());
  if (!json::is_utf8(issuer) || !json::is_utf8(key_id)) return 0;  // the ABI lets no such text in
  std::vector<provider::GivenValue> given;
  given.push_back({"client_email", SecretBytes(issuer)});
  given.push_back({"key_id", SecretBytes(key_id)});
  const auto config = provider::configure(fleet_engine(), given, true);
  const auto read = provider::read_claims(fleet_engine()->claims, {}, claims);
  require(config || fuzz::is_printable(config.error()->message), "a refusal is in plain words");
  require(read || fuzz::is_printable(read.error()->message), "a refusal is in plain words");
  if (!config || !read) return 0;

  const auto machine = flow::make_minting(*config, config->descriptor->credentials.front(), {"", *read});
  const flow::Effect effect = machine->start(kNow);
  require(std::holds_alternative<flow::Sign>(effect), "what was accepted is signed");
  check(std::get<flow::Sign>(effect), issuer, key_id, claims);
  return 0;
}
