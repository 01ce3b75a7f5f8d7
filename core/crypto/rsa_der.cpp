#include "core/crypto/rsa_der.h"

#include <cstdint>
#include <utility>

#include "core/crypto/pem.h"

namespace fleetauth::crypto {
namespace {

enum Tag : unsigned char { kInteger = 0x02, kOctets = 0x04, kNull = 0x05, kObject = 0x06, kSequence = 0x30 };

// Reads elements one after the other. Once one is not as expected, everything after fails too.
class Reader {
 public:
  explicit Reader(std::string_view der) : rest_(der) {}

  // The content of the element that stands here, which must be of this tag.
  std::string_view element(Tag tag) {
    if (!ok_ || rest_.empty() || static_cast<unsigned char>(rest_.front()) != tag) return broken();
    rest_.remove_prefix(1);
    const std::size_t size = length();
    if (size > rest_.size()) return broken();
    const std::string_view content = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return content;
  }

  // A number that is not negative, without its sign byte.
  std::string_view number() {
    std::string_view content = element(kInteger);
    if (content.empty() || (content.front() & 0x80) != 0) return broken();
    if (content.size() > 1 && content.front() == 0 && (content[1] & 0x80) == 0) return broken();
    if (content.front() == 0) content.remove_prefix(1);
    return content;
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool finished() const { return ok_ && rest_.empty(); }

 private:
  std::string_view broken() {
    ok_ = false;
    return {};
  }

  // At most 65535, in the shortest form; what is longer is larger than any text we take.
  std::size_t length() {
    const std::size_t first = byte();
    if (first < 0x80) return first;
    if (first == 0x80 || first > 0x82) return SIZE_MAX;
    const std::size_t high = first == 0x82 ? byte() : 0;
    const std::size_t size = high << 8 | byte();
    const std::size_t least = first == 0x82 ? 0x100 : 0x80;
    return size < least ? SIZE_MAX : size;
  }

  // 0xFF, which no length begins with, at the end.
  std::size_t byte() {
    if (rest_.empty()) return 0xFF;
    const auto value = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

ErrorPtr damaged() { return refuse_key("is damaged: its content is cut off or malformed"); }

constexpr std::string_view kRsaEncryption("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9);

std::string_view other_algorithm(std::string_view object) {
  constexpr std::pair<std::string_view, std::string_view> kKnown[] = {
      {{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9}, "is an RSA-PSS key, which cannot make RS256 signatures"},
      {{"\x2a\x86\x48\xce\x3d\x02\x01", 7}, "is an elliptic-curve (EC) key"},
      {{"\x2b\x65\x70", 3}, "is an Ed25519 key"},
      {{"\x2b\x65\x71", 3}, "is an Ed448 key"},
      {{"\x2b\x65\x6e", 3}, "is an X25519 key"},
      {{"\x2b\x65\x6f", 3}, "is an X448 key"},
      {{"\x2a\x86\x48\xce\x38\x04\x01", 7}, "is a DSA key"},
      {{"\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01", 9}, "is a Diffie-Hellman key"},
  };
  for (const auto &[known, found] : kKnown) {
    if (object == known) return found;
  }
  return "is a key of another algorithm than RSA";
}

Result<RsaNumbers> read_pkcs1(std::string_view der) {
  Reader outer(der);
  Reader key(outer.element(kSequence));
  if (!outer.finished()) return damaged();
  const std::string_view version = key.number();
  if (key.ok() && version == "\x01") return refuse_key("is an RSA key of more than two primes");
  if (!key.ok() || !version.empty()) return damaged();
  RsaNumbers numbers;
  for (std::string_view &number : numbers.all) number = key.number();
  if (!key.finished()) return damaged();
  return numbers;
}

// What follows the key, attributes and perhaps the public key, is of no interest.
Result<RsaNumbers> read_pkcs8(std::string_view der) {
  Reader outer(der);
  Reader info(outer.element(kSequence));
  const std::string_view version = info.number();
  Reader algorithm(info.element(kSequence));
  const std::string_view object = algorithm.element(kObject);
  const std::string_view key = info.element(kOctets);
  if (!outer.finished() || !info.ok() || !algorithm.ok() || (!version.empty() && version != "\x01")) return damaged();
  if (object != kRsaEncryption) return refuse_key(other_algorithm(object));
  if (!algorithm.finished() && (!algorithm.element(kNull).empty() || !algorithm.finished())) return damaged();
  return read_pkcs1(key);
}

}  // namespace

Result<RsaNumbers> read_rsa_der(std::string_view der, bool pkcs8) { return pkcs8 ? read_pkcs8(der) : read_pkcs1(der); }

}  // namespace fleetauth::crypto
