// Signing keys and service accounts: whatever the text, a key that signs or a refusal in plain words without the text.
// Input: one byte chooses, the rest is
//   P  a PEM text, in which @PKCS1@ and @PKCS8@ stand for the base64 of a good key
//   S  the JSON of a service account, in which they stand for a whole PEM text
//   1  the DER of a PKCS#1 key, 8 that of a PKCS#8 key
//   N  changes to the numbers of a good key: which, how, how many bytes, the bytes
#include <openssl/bn.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/base64.h"
#include "core/crypto/service_account.h"
#include "tests/fuzz/input.h"

using namespace fleetauth;
using fuzz::require;

namespace {

using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using Numbers = std::array<std::string, 8>;  // n, e, d, p, q, dp, dq, qi: big-endian

// The dictionary holds it.
constexpr std::string_view kCanary = "Canary0secret1Value2";

Number owned(BIGNUM *number) {
  if (number == nullptr) std::abort();
  return {number, BN_free};
}

std::string bytes(const Number &number) {
  std::string out(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char *>(out.data()));
  return out;
}

Number less_one(const Number &number) {
  Number out = owned(BN_dup(number.get()));
  BN_sub_word(out.get(), 1);
  return out;
}

// Of two primes that everybody knows: nothing here is worth a secret, and each run has the same.
Numbers good_numbers() {
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> scratch(BN_CTX_new(), BN_CTX_free);
  const auto fresh = [] { return owned(BN_new()); };
  const Number p = owned(BN_get_rfc3526_prime_1536(nullptr));
  const Number q = owned(BN_get_rfc2409_prime_1024(nullptr));
  const Number e = fresh();
  BN_set_word(e.get(), 65537);
  const Number n = fresh();
  BN_mul(n.get(), p.get(), q.get(), scratch.get());
  const Number phi = fresh();
  BN_mul(phi.get(), less_one(p).get(), less_one(q).get(), scratch.get());
  const Number d = owned(BN_mod_inverse(nullptr, e.get(), phi.get(), scratch.get()));
  const Number dp = fresh();
  BN_mod(dp.get(), d.get(), less_one(p).get(), scratch.get());
  const Number dq = fresh();
  BN_mod(dq.get(), d.get(), less_one(q).get(), scratch.get());
  const Number qi = owned(BN_mod_inverse(nullptr, q.get(), p.get(), scratch.get()));
  return {bytes(n), bytes(e), bytes(d), bytes(p), bytes(q), bytes(dp), bytes(dq), bytes(qi)};
}

const Numbers &good() {
  static const auto *const numbers = new Numbers(good_numbers());
  return *numbers;
}

std::string element(char tag, const std::string &content) {
  std::string out(1, tag);
  const std::size_t size = content.size();
  if (size >= 0x100) out += {'\x82', static_cast<char>(size >> 8U)};
  if (size >= 0x80 && size < 0x100) out += '\x81';
  return out + static_cast<char>(size & 0xFFU) + content;
}

std::string integer(const std::string &number) {
  const bool needs_sign = number.empty() || (static_cast<unsigned char>(number.front()) & 0x80U) != 0;
  return element('\x02', (needs_sign ? std::string(1, '\0') : "") + number);
}

std::string pkcs1(const Numbers &numbers) {
  std::string content = integer("");
  for (const std::string &number : numbers) content += integer(number);
  return element('\x30', content);
}

std::string pkcs8(const std::string &pkcs1) {
  const std::string rsa("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 13);
  return element('\x30', integer("") + element('\x30', rsa) + element('\x04', pkcs1));
}

std::string base64_of(const std::string &der) { return std::string(base64::encode(der).view()); }

std::string pem(const std::string &label, const std::string &der) {
  std::string out = "-----BEGIN " + label + "-----\n";
  const std::string letters = base64_of(der);
  for (std::size_t i = 0; i < letters.size(); i += 64) out += letters.substr(i, 64) + "\n";
  return out + "-----END " + label + "-----\n";
}

std::string escaped(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\n");
  return text;
}

std::string replaced(std::string text, std::string_view what, const std::string &by) {
  constexpr std::size_t kLargest = 128 * 1024;  // above what is read at all
  for (std::size_t at = 0; text.size() < kLargest && (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

void check_key(const crypto::SigningKey &key) {
  require(key.bits() >= 2048 && key.bits() <= 16'384, "a key has a size that signs");
  const auto signature = key.sign_rs256("bytes");
  require(signature && signature->size() == static_cast<std::size_t>(key.bits() + 7) / 8, "a key signs, in the size of its modulus");
}

void check_refusal(const Error &error) {
  require(error.status == Status::Key, "a text that is no key is E_KEY");
  require(!error.message.empty() && fuzz::is_printable(error.message), "a refusal is in plain words");
  require(error.message.find(kCanary) == std::string::npos, "a refusal quotes nothing");
}

bool check_pem(std::string_view text) {
  const auto key = crypto::SigningKey::from_pem(text);
  if (!key) return check_refusal(*key.error()), false;
  check_key(**key);
  return true;
}

void check_service_account(std::string_view text) {
  const auto account = crypto::parse_service_account(text, "key.json");
  if (account) {
    require(!account->client_email.empty() && !account->private_key_id.empty() && !account->project_id.empty(), "all of it is there");
    return check_key(*account->key);
  }
  check_refusal(*account.error());
}

Numbers changed(fuzz::Input &input) {
  Numbers numbers = good();
  while (!input.empty()) {
    std::string &number = numbers[input.byte() % numbers.size()];
    const std::uint8_t how = input.byte();
    const std::string_view given = input.bytes(input.byte());
    const std::size_t at = number.empty() ? 0 : input.number(2) % number.size();
    if (how % 4 == 0) number = given;
    if (how % 4 == 1) number.replace(at, given.size(), given);
    if (how % 4 == 2) number = numbers[how / 4 % numbers.size()];
    if (how % 4 == 3) number.append(given);
    number.erase(0, number.find_first_not_of('\0'));
    number.resize(std::min<std::size_t>(number.size(), 600));
  }
  return numbers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static const std::string kPkcs1 = pkcs1(good());
  static const std::string kPkcs8 = pkcs8(kPkcs1);
  static const bool kGood = check_pem(pem("RSA PRIVATE KEY", kPkcs1)) && check_pem(pem("PRIVATE KEY", kPkcs8));
  require(kGood, "a good key is taken");

  fuzz::Input input(data, size);
  const std::uint8_t choice = input.byte();
  if (choice == 'N') {
    const Numbers numbers = changed(input);
    const bool taken = check_pem(pem("RSA PRIVATE KEY", pkcs1(numbers)));
    require(taken || numbers != good(), "numbers that did not change are taken");
    return 0;
  }
  const std::string text(input.all());
  if (choice == 'P') check_pem(replaced(replaced(text, "@PKCS1@", base64_of(kPkcs1)), "@PKCS8@", base64_of(kPkcs8)));
  if (choice == 'S') {
    const std::string first = replaced(text, "@PKCS1@", escaped(pem("RSA PRIVATE KEY", kPkcs1)));
    check_service_account(replaced(first, "@PKCS8@", escaped(pem("PRIVATE KEY", kPkcs8))));
  }
  if (choice == '1') check_pem(pem("RSA PRIVATE KEY", text));
  if (choice == '8') check_pem(pem("PRIVATE KEY", text));
  return 0;
}
