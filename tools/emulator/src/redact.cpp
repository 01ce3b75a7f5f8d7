#include "redact.h"

namespace fleetauth::emulator {
namespace {

constexpr std::string_view hidden = "<redacted>";
// Shorter secrets would blot out harmless text; they are still hidden by member name.
constexpr std::size_t shortest_secret = 4;
constexpr std::size_t longest_shown = 256;
constexpr int deepest_shown = 16;

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

std::string Redactor::text(std::string text, const std::vector<std::string> &secrets) const {
  for (const std::string &secret : secrets) {
    if (secret.size() < shortest_secret) continue;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + hidden.size())) {
      text.replace(at, secret.size(), hidden);
    }
  }
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_token_character(text[end])) ++end;
    const std::string_view word = std::string_view(text).substr(i, end - i);
    result += !word.empty() && is_token_(word) ? hidden : word;
    if (end < text.size()) result += text[end++];
    i = end;
  }
  if (result.size() > longest_shown) result = result.substr(0, longest_shown) + "...";
  return result;
}

json Redactor::value(const json &value, bool is_public, const PublicNames &public_names, const std::vector<std::string> &secrets,
                     int depth) const {
  if (depth > deepest_shown) return "<too deep>";
  if (value.is_object()) {
    json result = json::object();
    for (const auto &[name, member] : value.items()) {
      result[text(name, secrets)] = this->value(member, public_names.contains(name), public_names, secrets, depth + 1);
    }
    return result;
  }
  if (value.is_array()) {
    json result = json::array();
    for (const json &item : value) result.push_back(this->value(item, is_public, public_names, secrets, depth + 1));
    return result;
  }
  if (value.is_null() || value.is_boolean()) return value;
  // The JSON type is told: a number sent as a string is a frequent mistake.
  if (!is_public) return "<redacted " + std::string(value.type_name()) + ">";
  return value.is_string() ? json(text(value.get<std::string>(), secrets)) : value;
}

json Redactor::fields(const Fields &fields, const PublicNames &public_names, const std::vector<std::string> &secrets) const {
  json result = json::object();
  for (const auto &[name, content] : fields) {
    result[text(name, secrets)] = value(content, public_names.contains(name), public_names, secrets, 0);
  }
  return result;
}

json Redactor::body(const Request &request, const PublicNames &public_names, const std::vector<std::string> &secrets) const {
  if (request.body.empty()) return nullptr;
  if (request.content_type() == "application/x-www-form-urlencoded") {
    if (const auto parsed = parse_fields(request.body)) return fields(*parsed, public_names, secrets);
  } else if (request.content_type() == "application/json") {
    const json parsed = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
    if (!parsed.is_discarded()) return value(parsed, false, public_names, secrets, 0);
  }
  return "<" + std::to_string(request.body.size()) + " bytes, not shown>";
}

}  // namespace fleetauth::emulator
