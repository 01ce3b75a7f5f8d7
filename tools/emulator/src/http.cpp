#include "http.h"

#include <algorithm>

#include "crypto.h"

namespace fleetauth::emulator {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

std::optional<std::string> decode_component(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

std::optional<Fields> parse_fields(std::string_view encoded) {
  Fields fields;
  while (!encoded.empty()) {
    const std::string_view part = encoded.substr(0, encoded.find('&'));
    encoded.remove_prefix(std::min(part.size() + 1, encoded.size()));
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    auto name = decode_component(part.substr(0, equals), true);
    auto value = decode_component(equals == std::string_view::npos ? "" : part.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    fields.emplace_back(std::move(*name), std::move(*value));
  }
  return fields;
}

std::optional<std::string> decode_segment(std::string_view encoded) { return decode_component(encoded, false); }

std::optional<std::string> single(const Fields &fields, std::string_view name) {
  std::optional<std::string> found;
  for (const auto &[field, value] : fields) {
    if (field != name) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

std::optional<std::string> Request::header(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto &[header, value] : headers) {
    if (!equal_ignoring_case(header, name)) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

std::string Request::content_type() const {
  std::string type = header("Content-Type").value_or("");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.pop_back();
  return lower_case(type);
}

void Response::remove_header(std::string_view name) {
  std::erase_if(headers, [&](const Header &h) { return equal_ignoring_case(h.first, name); });
}

void Response::set_header(std::string_view name, std::string value) {
  remove_header(name);
  headers.emplace_back(name, std::move(value));
}

Response json_response(int status, const json &body) {
  // Bytes that are not UTF-8 can only come from the peer; they are shown as U+FFFD.
  return {status, {}, "application/json", body.dump(-1, ' ', false, json::error_handler_t::replace), {}};
}

Response text_response(int status, std::string text) { return {status, {}, "text/plain", std::move(text), {}}; }

std::optional<std::string> credentials_of_scheme(const Request &request, std::string_view scheme) {
  const auto value = request.header("Authorization");
  if (!value || value->size() <= scheme.size() + 1 || (*value)[scheme.size()] != ' ') return std::nullopt;
  if (!equal_ignoring_case(std::string_view(*value).substr(0, scheme.size()), scheme)) return std::nullopt;
  return value->substr(scheme.size() + 1);
}

std::optional<BasicCredentials> basic_credentials(const Request &request) {
  const auto encoded = credentials_of_scheme(request, "Basic");
  if (!encoded) return std::nullopt;
  const auto pair = base64_decode(*encoded);
  if (!pair) return std::nullopt;
  const std::size_t colon = pair->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return BasicCredentials{pair->substr(0, colon), pair->substr(colon + 1)};
}

}  // namespace fleetauth::emulator
