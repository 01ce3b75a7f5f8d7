#include "crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <stdexcept>

namespace fleetauth::emulator {
namespace {

unsigned char *bytes(std::string &text) { return reinterpret_cast<unsigned char *>(text.data()); }

const unsigned char *bytes(std::string_view text) { return reinterpret_cast<const unsigned char *>(text.data()); }

std::string hex(std::string_view data, const char *digits) {
  std::string text;
  text.reserve(data.size() * 2);
  for (const char c : data) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string data(count, '\0');
  if (RAND_bytes(bytes(data), static_cast<int>(count)) != 1) {
    throw std::runtime_error("OpenSSL has no random bytes");
  }
  return data;
}

std::string random_hex(std::size_t count, bool upper_case) {
  return hex(random_bytes(count), upper_case ? "0123456789ABCDEF" : "0123456789abcdef");
}

std::string sha256(std::string_view data) {
  std::string digest(32, '\0');
  if (EVP_Digest(data.data(), data.size(), bytes(digest), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot compute SHA-256");
  }
  return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
  std::string mac(32, '\0');
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(data), data.size(), bytes(mac), &size) == nullptr) {
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA-256");
  }
  return mac;
}

std::string totp(std::string_view key, std::uint64_t step) {
  std::string counter(8, '\0');
  for (std::size_t i = counter.size(); i-- > 0; step >>= 8U) counter[i] = static_cast<char>(step & 255U);
  std::string mac(20, '\0');
  unsigned int size = 0;
  if (HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), bytes(counter), counter.size(), bytes(mac), &size) == nullptr) {
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA-1");
  }
  const unsigned char *picked = bytes(mac) + (bytes(mac)[19] & 15U);
  const std::uint32_t number = (picked[0] & 127U) << 24U | std::uint32_t{picked[1]} << 16U | std::uint32_t{picked[2]} << 8U | picked[3];
  const std::string digits = std::to_string(1'000'000 + number % 1'000'000);
  return digits.substr(1);
}

std::string fingerprint(std::string_view token) { return hex(sha256(token).substr(0, 4), "0123456789abcdef"); }

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string base64_encode(std::string_view data) {
  std::string text((data.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL writes a final NUL
  const int size = EVP_EncodeBlock(bytes(text), bytes(data), static_cast<int>(data.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string data(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(bytes(data), bytes(text), static_cast<int>(text.size())) < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  data.resize(data.size() - padding);
  // OpenSSL skips white space and ignores spare bits; encoding again shows whether it did.
  if (base64_encode(data) != text) return std::nullopt;
  return data;
}

std::string base64url_encode(std::string_view data) {
  std::string text = base64_encode(data);
  while (text.ends_with('=')) text.pop_back();
  for (char &c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  std::string padded;
  for (const char c : text) {
    if (c == '+' || c == '/' || c == '=') return std::nullopt;
    padded += c == '-' ? '+' : c == '_' ? '/' : c;
  }
  while (padded.size() % 4 != 0) padded += '=';
  return base64_decode(padded);
}

std::optional<std::string> base32_decode(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  std::string data;
  std::uint32_t bits = 0;
  unsigned int count = 0;
  for (const char c : text) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!letter && (c < '2' || c > '7')) return std::nullopt;
    bits = (bits << 5U | static_cast<std::uint32_t>(letter ? (c & 31) - 1 : c - '2' + 26)) & 0xFFFU;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    data += static_cast<char>(bits >> count & 255U);
  }
  return data;
}

}  // namespace fleetauth::emulator
