#include "core/crypto/totp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "core/crypto/openssl_mutex.h"

namespace fleetauth::crypto {
namespace {

constexpr std::size_t kFewestBytes = 10;
constexpr std::size_t kLongestText = 4096;
constexpr int kShortestPeriod = 15;
constexpr int kLongestPeriod = 120;

ErrorPtr refuse(std::string_view found) { return fail(Status::Config, "the TOTP secret " + std::string(found)); }

bool is_filler(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '-'; }

// The five bits of a letter, or 32 when it is none.
std::uint32_t value_of(char c) {
  const char letter = text::lower(c);
  if (letter >= 'a' && letter <= 'z') return static_cast<std::uint32_t>(letter - 'a');
  if (letter >= '2' && letter <= '7') return static_cast<std::uint32_t>(letter - '2' + 26);
  return 32;
}

Result<SecretBytes> decode_base32(std::string_view text) {
  while (!text.empty() && (text.back() == '=' || is_filler(text.back()))) text.remove_suffix(1);
  SecretBytes bytes;
  bytes.reserve(text.size());
  std::uint32_t bits = 0;
  std::size_t letters = 0;
  unsigned count = 0;  // of the bits that make no byte yet
  for (const char c : text) {
    if (is_filler(c)) continue;
    const std::uint32_t value = value_of(c);
    if (value == 32) return refuse("is not base32: only the letters A to Z and the digits 2 to 7 may occur in it");
    bits = (bits << 5 | value) & 0xFFFU;
    count += 5;
    ++letters;
    if (count < 8) continue;
    count -= 8;
    const char byte = static_cast<char>(bits >> count);
    bytes.append({&byte, 1});
  }
  if (letters == 0) return refuse("is empty; expected is the base32 text the provider shows, or an otpauth://totp/ URI");
  if (count >= 5 || (bits & ((1U << count) - 1)) != 0) return refuse("is cut off: its last letters are no whole byte. Copy all of it");
  if (bytes.size() < kFewestBytes) {
    return refuse("has " + std::to_string(bytes.size()) + " bytes; expected are 10 or more (16 letters in base32). Copy all of it");
  }
  return bytes;
}

std::optional<char> hex_pair(std::string_view text) {
  unsigned value = 0;
  const char *end = text.data() + text.size();
  if (text.size() != 2 || std::from_chars(text.data(), end, value, 16).ptr != end) return std::nullopt;
  return static_cast<char>(value);
}

// None when an escape is malformed.
std::optional<SecretBytes> percent_decode(std::string_view text) {
  SecretBytes plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    if (text.front() != '%') {
      plain.append(text.substr(0, 1));
      text.remove_prefix(1);
      continue;
    }
    const auto c = hex_pair(text.substr(1, 2));
    if (!c) return std::nullopt;
    plain.append({&*c, 1});
    text.remove_prefix(3);
  }
  return plain;
}

std::optional<int> whole_number(std::string_view text, int least, int most) {
  int value = 0;
  const char *end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value < least || value > most) return std::nullopt;
  return value;
}

const EVP_MD *method_of(TotpSecret::Algorithm algorithm) {
  switch (algorithm) {
    case TotpSecret::Algorithm::Sha256:
      return EVP_sha256();
    case TotpSecret::Algorithm::Sha512:
      return EVP_sha512();
    case TotpSecret::Algorithm::Sha1:
      break;
  }
  return EVP_sha1();
}

using Mac = std::array<unsigned char, EVP_MAX_MD_SIZE>;

// Answers the size of the MAC.
std::size_t hmac(Mac &mac, const EVP_MD *method, std::string_view key, const std::array<unsigned char, 8> &counter) {
  const std::lock_guard lock(openssl_mutex());
  unsigned int size = 0;
  if (HMAC(method, key.data(), static_cast<int>(key.size()), counter.data(), counter.size(), mac.data(), &size) == nullptr) {
    throw std::bad_alloc();
  }
  return size;
}

// RFC 4226, 5.3.
std::uint32_t truncate(const Mac &mac, std::size_t size) {
  const std::size_t at = mac[size - 1] & 15U;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | mac[at + i];
  return number & 0x7FFFFFFFU;
}

}  // namespace

// Reads what is behind "otpauth:".
class TotpReader {
 public:
  static Result<TotpSecret> plain(std::string_view text) {
    TotpReader reader;
    if (const ErrorPtr error = reader.secret(text)) return error;
    return std::move(reader.made_);
  }

  static Result<TotpSecret> uri(std::string_view rest) {
    constexpr std::string_view kTotp = "//totp/";
    if (text::equal_ignore_case(rest.substr(0, 7), "//hotp/")) {
      return refuse("is counter-based (otpauth://hotp); only time-based secrets (otpauth://totp/) can be used");
    }
    if (!text::equal_ignore_case(rest.substr(0, kTotp.size()), kTotp)) return refuse("is a URI of another kind than otpauth://totp/");
    TotpReader reader;
    const std::size_t query = std::min(rest.find('?'), rest.size());
    if (const ErrorPtr error = reader.parameters(rest.substr(std::min(query + 1, rest.size())))) return error;
    if (!reader.given_[kSecret]) return refuse("is an otpauth URI without the parameter \"secret\"");
    return std::move(reader.made_);
  }

 private:
  enum Parameter : std::size_t { kSecret, kAlgorithm, kDigits, kPeriod, kCount };
  static constexpr std::array<std::string_view, kCount> kNames = {"secret", "algorithm", "digits", "period"};

  ErrorPtr parameters(std::string_view query) {
    while (!query.empty()) {
      const std::string_view pair = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(pair.size() + 1, query.size()));
      const std::size_t equals = std::min(pair.find('='), pair.size());
      const auto *name = std::find_if(kNames.begin(), kNames.end(),
                                      [&](std::string_view known) { return text::equal_ignore_case(known, pair.substr(0, equals)); });
      if (name == kNames.end()) continue;
      if (ErrorPtr error = parameter(static_cast<Parameter>(name - kNames.begin()), pair.substr(std::min(equals + 1, pair.size())))) {
        return error;
      }
    }
    return nullptr;
  }

  ErrorPtr parameter(Parameter which, std::string_view escaped) {
    const std::string name(kNames[which]);
    if (std::exchange(given_[which], true)) return refuse("is an otpauth URI which has the parameter \"" + name + "\" twice");
    const auto value = percent_decode(escaped);
    if (!value) return refuse("is an otpauth URI whose parameter \"" + name + "\" has a malformed % escape");
    if (which == kSecret) return secret(value->view());
    if (which == kAlgorithm) return algorithm(value->view());
    return number(which, value->view());
  }

  ErrorPtr secret(std::string_view base32) {
    auto bytes = decode_base32(base32);
    if (!bytes) return bytes.error();
    made_.secret_ = std::move(*bytes);
    return nullptr;
  }

  ErrorPtr algorithm(std::string_view name) {
    using Algorithm = TotpSecret::Algorithm;
    constexpr std::pair<std::string_view, Algorithm> kKnown[] = {
        {"SHA1", Algorithm::Sha1}, {"SHA256", Algorithm::Sha256}, {"SHA512", Algorithm::Sha512}};
    for (const auto &[known, value] : kKnown) {
      if (!text::equal_ignore_case(known, name)) continue;
      made_.algorithm_ = value;
      return nullptr;
    }
    return refuse("is an otpauth URI of an unknown algorithm; expected is SHA1, SHA256 or SHA512");
  }

  ErrorPtr number(Parameter which, std::string_view text) {
    const bool digits = which == kDigits;
    const auto value = digits ? whole_number(text, 6, 8) : whole_number(text, kShortestPeriod, kLongestPeriod);
    if (!value)
      return refuse(digits ? "is an otpauth URI whose \"digits\" is not 6, 7 or 8"
                           : "is an otpauth URI whose \"period\" is not 15 to 120 seconds");
    (digits ? made_.digits_ : made_.period_) = *value;
    return nullptr;
  }

  TotpSecret made_;
  std::array<bool, kCount> given_{};
};

Result<TotpSecret> TotpSecret::parse(std::string_view text) {
  constexpr std::string_view kScheme = "otpauth:";
  if (text.size() > kLongestText) return refuse("is longer than 4 KiB");
  while (!text.empty() && is_filler(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_filler(text.back())) text.remove_suffix(1);
  if (text::equal_ignore_case(text.substr(0, kScheme.size()), kScheme)) return TotpReader::uri(text.substr(kScheme.size()));
  if (text::equal_ignore_case(text.substr(0, 18), "otpauth-migration:")) {
    return refuse("is an export of several accounts (otpauth-migration:); give the secret of the one account");
  }
  return TotpReader::plain(text);
}

std::int64_t TotpSecret::step(std::int64_t unix_ms) const { return std::max<std::int64_t>(unix_ms, 0) / 1000 / period_; }

SecretBytes TotpSecret::code(std::int64_t unix_ms) const {
  std::array<unsigned char, 8> counter{};
  const auto number = static_cast<std::uint64_t>(step(unix_ms));
  for (std::size_t i = 0; i < counter.size(); ++i) counter[i] = static_cast<unsigned char>(number >> (56 - 8 * i));
  Mac mac{};
  std::uint32_t value = truncate(mac, hmac(mac, method_of(algorithm_), secret_.view(), counter));
  OPENSSL_cleanse(mac.data(), mac.size());
  std::array<char, 8> digits{};
  const std::size_t count = static_cast<std::size_t>(digits_);
  for (std::size_t i = count; i > 0; --i, value /= 10) digits[i - 1] = static_cast<char>('0' + value % 10);
  SecretBytes code({digits.data(), count});
  OPENSSL_cleanse(digits.data(), digits.size());
  return code;
}

}  // namespace fleetauth::crypto
