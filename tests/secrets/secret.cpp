#include "tests/secrets/secret.h"

#include <string.h>

#include <array>
#include <random>

namespace secrets {
namespace {

constexpr unsigned char kMask = 0xA5;
constexpr std::size_t kLongest = 8192;

}  // namespace

Masked::Masked(std::string_view plain) {
  for (const char c : plain) append(c);
}

void Masked::append(char plain) { masked_.push_back(static_cast<char>(static_cast<unsigned char>(plain) ^ kMask)); }

char Masked::at(std::size_t index) const { return static_cast<char>(static_cast<unsigned char>(masked_[index]) ^ kMask); }

bool Masked::equals(const char *data) const {
  for (std::size_t i = 0; i < masked_.size(); ++i) {
    if (data[i] != at(i)) return false;
  }
  return true;
}

bool Masked::is_in(std::string_view text) const {
  for (std::size_t i = 0; i + masked_.size() <= text.size(); ++i) {
    if (equals(text.data() + i)) return true;
  }
  return false;
}

void Masked::reveal(const std::function<void(std::string_view)> &use) const {
  static std::array<char, kLongest> plain;
  for (std::size_t i = 0; i < masked_.size(); ++i) plain.at(i) = at(i);
  use({plain.data(), masked_.size()});
  explicit_bzero(plain.data(), plain.size());
}

Masked Masked::between(std::string_view before, std::string_view after) const {
  Masked out(before);
  out.masked_ += masked_;
  for (const char c : after) out.append(c);
  return out;
}

Masked Masked::base64(std::string_view before) const {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t size = before.size() + masked_.size();
  const auto byte = [&](std::size_t i) -> unsigned {
    if (i >= size) return 0;
    return static_cast<unsigned char>(i < before.size() ? before[i] : at(i - before.size()));
  };
  Masked out;
  for (std::size_t i = 0; i < size; i += 3) {
    const unsigned bits = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    out.append(kAlphabet[bits >> 18U & 63U]);
    out.append(kAlphabet[bits >> 12U & 63U]);
    out.append(i + 1 < size ? kAlphabet[bits >> 6U & 63U] : '=');
    out.append(i + 2 < size ? kAlphabet[bits & 63U] : '=');
  }
  return out;
}

Masked Masked::utf16() const {
  Masked out;
  for (std::size_t i = 0; i < masked_.size(); ++i) {
    out.append(at(i));
    out.append('\0');
  }
  return out;
}

Masked random_secret() {
  constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
  std::random_device random;
  std::array<char, 32> plain{};
  for (char &c : plain) c = kLetters[random() % kLetters.size()];
  Masked secret({plain.data(), plain.size()});
  explicit_bzero(plain.data(), plain.size());
  return secret;
}

}  // namespace secrets
