#include "core/base/base64.h"

#include <cstdint>

namespace fleetauth::base64 {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::size_t encoded_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

void encode_to(SecretBytes &out, std::string_view bytes, bool url) {
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    char letters[4];
    for (std::size_t i = 0; i < 4; ++i) {
      const char letter = kLetters[bits >> (18 - 6 * i) & 63U];
      letters[i] = i > group.size() ? '=' : url && letter == '+' ? '-' : url && letter == '/' ? '_' : letter;
    }
    out.append({letters, url ? group.size() + 1 : 4});
  }
}

// The six bits of a letter, or 64 when it is none.
std::uint32_t value_of(char c, bool url) {
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a' + 26);
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0' + 52);
  if (c == (url ? '-' : '+')) return 62;
  if (c == (url ? '_' : '/')) return 63;
  return 64;
}

// `text` has no padding any more.
std::optional<SecretBytes> decode_letters(std::string_view text, bool url) {
  if (text.size() % 4 == 1) return std::nullopt;
  SecretBytes out;
  out.reserve(text.size() / 4 * 3 + 2);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const std::string_view group = text.substr(at, 4);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint32_t value = i < group.size() ? value_of(group[i], url) : 0;
      if (value == 64) return std::nullopt;
      bits = bits << 6 | value;
    }
    const char bytes[3] = {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8), static_cast<char>(bits)};
    const std::size_t count = group.size() - 1;
    for (std::size_t i = count; i < 3; ++i) {
      if (bytes[i] != 0) return std::nullopt;  // two spellings of the same bytes would pass as different texts
    }
    out.append({bytes, count});
  }
  return out;
}

}  // namespace

void append(SecretBytes &out, std::string_view bytes) {
  out.reserve(out.size() + encoded_size(bytes.size()));
  encode_to(out, bytes, false);
}

SecretBytes encode(std::string_view bytes) {
  SecretBytes out;
  append(out, bytes);
  return out;
}

std::optional<SecretBytes> decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
  return decode_letters(text, false);
}

SecretBytes encode_url(std::string_view bytes) {
  SecretBytes out;
  out.reserve(encoded_size(bytes.size()));
  encode_to(out, bytes, true);
  return out;
}

std::optional<SecretBytes> decode_url(std::string_view text) { return decode_letters(text, true); }

}  // namespace fleetauth::base64
