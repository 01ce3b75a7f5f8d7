#include "core/base/redact.h"

#include <algorithm>

namespace fleetauth::redact {
namespace {

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

bool all_of(std::string_view text, char lowest) {
  return std::all_of(text.begin(), text.end(), [lowest](char c) { return c >= lowest && c <= '~'; });
}

}  // namespace

std::string filter_code(std::string_view word) {
  std::string code;
  for (const char c : word) {
    if (code.size() == kMaxCode) break;
    if (is_alphanumeric(c) || c == '_' || c == '.' || c == '-') code.push_back(c);
  }
  return code;
}

bool is_header_value(std::string_view value) {
  return all_of(value, ' ') && (value.empty() || (value.front() != ' ' && value.back() != ' '));
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos;
  });
}

bool is_token(std::string_view token) { return !token.empty() && token.size() <= kMaxToken && all_of(token, '!'); }

}  // namespace fleetauth::redact
