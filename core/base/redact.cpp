#include "core/base/redact.h"

#include <algorithm>

namespace fleetauth::redact {
namespace {

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// No early end: the compiler may look at many characters at once.
bool all_of(std::string_view text, char lowest) {
  bool all = true;
  for (const char c : text) all &= c >= lowest && c <= '~';
  return all;
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

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 256;
  const bool cut = text.size() > kLongest;
  if (cut) {
    std::size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // not in the middle of a UTF-8 character
    text = text.substr(0, end);
  }
  std::string line(text);
  for (char &c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return cut ? line + "..." : line;
}

bool is_header_value(std::string_view value) {
  return all_of(value, ' ') && (value.empty() || (value.front() != ' ' && value.back() != ' '));
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos; });
}

bool is_token(std::string_view token) { return !token.empty() && token.size() <= kMaxToken && all_of(token, '!'); }

}  // namespace fleetauth::redact
