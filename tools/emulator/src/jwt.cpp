#include "jwt.h"

#include "crypto.h"

namespace fleetauth::emulator {

using nlohmann::json;

namespace {

std::optional<json> parse_part(std::string_view part) {
  const auto text = base64url_decode(part);
  if (!text) return std::nullopt;
  json object = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  return object;
}

}  // namespace

std::string make_jwt(const json &claims) {
  const std::string signed_part = base64url_encode(R"({"typ":"JWT","alg":"HS256"})") + "." + base64url_encode(claims.dump());
  return signed_part + "." + base64url_encode(hmac_sha256(random_bytes(32), signed_part));
}

std::string make_jwt(const json &claims, const RsaKey &key, const std::string &key_id) {
  const json header = {{"alg", "RS256"}, {"typ", "JWT"}, {"kid", key_id}};
  const std::string signed_part = base64url_encode(header.dump()) + "." + base64url_encode(claims.dump());
  return signed_part + "." + base64url_encode(key.sign(signed_part));
}

std::optional<Jwt> parse_jwt(std::string_view text) {
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  auto header = parse_part(text.substr(0, first));
  auto claims = parse_part(text.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(text.substr(second + 1));  // a fourth part's dot is no base64url
  if (!header || !claims || !signature) return std::nullopt;
  return Jwt{std::move(*header), std::move(*claims), std::string(text.substr(0, second)), std::move(*signature)};
}

}  // namespace fleetauth::emulator
