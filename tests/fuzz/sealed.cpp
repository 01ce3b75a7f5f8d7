// What is kept under a key of the caller's: sealed records, sealed challenges, and the secrets that one-time codes are made from.
// Input: one byte chooses, the rest is
//   R  a record
//   C  what is sealed, a line "--", then changes to the record: two bytes say where, one is added there; nothing else opens
//   J  the text inside a sealed challenge
//   E  the values of a challenge: six bytes when, three how long, then a line each
//   T  a TOTP secret
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "core/crypto/seal.h"
#include "core/crypto/totp.h"
#include "core/flow/sealed_challenge.h"
#include "tests/fuzz/input.h"

using namespace fleetauth;
using fuzz::require;

namespace {

// The dictionary holds it.
constexpr std::string_view kCanary = "CANARY23SECRET45VALUE67";
const std::string kKey(crypto::kSealKeySize, 'k');
// In bytes: a challenge is sealed as JSON, which is longer than its texts.
constexpr std::size_t kSurelyFits = 8 * 1024;

void check_refusal(const Error &error) {
  require(error.status == Status::Key || error.status == Status::Crypto, "what does not open is E_KEY or E_CRYPTO");
  require(!error.message.empty() && fuzz::is_printable(error.message), "a refusal is in plain words");
}

// ---------------------------------------------------------------- records

void check_record(std::string_view record) {
  const auto secret = crypto::open(kKey, "fuzz", "context", record);
  if (!secret) return check_refusal(*secret.error());
  require(secret->size() <= crypto::kMostSealed, "what was sealed has a limit");
  require(!crypto::open(kKey, "other", "context", record), "a record is for one purpose");
  require(!crypto::open(kKey, "fuzz", "other", record), "a record belongs to one thing");
}

void check_changed_record(fuzz::Input &input) {
  const std::string_view all = input.all();
  const std::size_t end = std::min(all.find("\n--\n"), all.size());
  const std::string_view secret = all.substr(0, end);
  const std::string_view changes = all.substr(std::min(all.size(), end + 4));
  const auto sealed = crypto::seal(kKey, "fuzz", "context", secret);
  if (!sealed) return require(secret.size() > crypto::kMostSealed, "what is not too long is sealed");
  std::string record(sealed->view());
  fuzz::Input change(reinterpret_cast<const std::uint8_t *>(changes.data()), changes.size());
  while (!change.empty()) {
    const std::size_t at = change.number(2);
    const std::uint8_t by = change.byte();
    if (at >= record.size()) {
      record.resize(record.size() - std::min<std::size_t>(by, record.size()));
    } else {
      record[at] = static_cast<char>(record[at] + by);
    }
    if (record.empty()) break;
  }
  const auto opened = crypto::open(kKey, "fuzz", "context", record);
  require(opened.operator bool() == (record == sealed->view()), "a record opens as it was sealed, or not at all");
  if (!opened) return check_refusal(*opened.error());
  require(opened->view() == secret, "what was sealed comes back");
}

// ---------------------------------------------------------------- challenges

provider::ClientConfig client() {
  auto descriptor = provider::parse_descriptor(
      R"({"descriptor": 1, "name": "acme", "title": "Acme", "origins": {"api": "https://api.acme.example"},
          "parameters": {"user": {"type": "text", "doc": "The user."}},
          "credentials": {"main": {"flow": "basic"}},
          "schemes": {"basic": {"credential": "main", "headers": {"Authorization": ["Basic ", {"$basic": ["a", "b"]}]}}},
          "apis": {"all": {"origin": "api", "path": "/", "schemes": ["basic"]}}})",
      "acme.json");
  require(descriptor.operator bool(), "the descriptor is good");
  auto config = provider::configure(std::make_shared<const provider::Descriptor>(std::move(*descriptor)), {});
  require(config.operator bool(), "the configuration is good");
  return std::move(*config);
}

const provider::ClientConfig &config() {
  static const auto *const instance = new provider::ClientConfig(client());
  return *instance;
}

bool same(const flow::Challenge &a, const flow::Challenge &b) {
  const auto same_echo = [](const provider::Echo &x, const provider::Echo &y) {
    return x.name == y.name && x.type == y.type && x.text.view() == y.text.view();
  };
  return a.credential == b.credential && a.step == b.step && a.account == b.account && a.asked == b.asked &&
         a.lifetime_ms == b.lifetime_ms && std::equal(a.echoes.begin(), a.echoes.end(), b.echoes.begin(), b.echoes.end(), same_echo);
}

// Whether it came back as it went.
bool survives(const flow::Challenge &challenge) {
  const auto sealed = flow::seal_challenge(config(), challenge, kKey);
  if (!sealed) return false;
  const auto opened = flow::open_challenge(config(), sealed->view(), kKey);
  return opened && same(**opened, challenge);
}

void check_inside(std::string_view text) {
  // As core/flow/sealed_challenge.cpp binds it.
  const auto sealed = crypto::seal(kKey, "fleetauth/challenge/v1", "4:acme24:https://api.acme.example", text);
  if (!sealed) return;
  const auto opened = flow::open_challenge(config(), sealed->view(), kKey);
  if (!opened) {
    require(opened.error()->message.find("no challenge") != std::string::npos, "the record itself opens");
    return check_refusal(*opened.error());
  }
  const flow::Challenge &challenge = **opened;
  require(challenge.asked >= 0 && challenge.lifetime_ms > 0, "a challenge was asked at a time, for a time");
  for (const provider::Echo &echo : challenge.echoes) {
    require(echo.type == json::Type::String || echo.type == json::Type::Integer || echo.type == json::Type::Boolean,
            "an echo is a string, an integer or a boolean");
  }
  if (text.size() < kSurelyFits) require(survives(challenge), "a challenge that was read can be kept");
}

void check_values(fuzz::Input &input) {
  constexpr json::Type kTypes[] = {json::Type::String, json::Type::Integer, json::Type::Boolean};
  flow::Challenge challenge;
  challenge.asked = static_cast<WallMs>(input.number(6));
  challenge.lifetime_ms = static_cast<std::int64_t>(1 + input.number(3));
  std::string all;  // of the texts
  const auto text = [&] {
    const std::string_view line = input.until('\n');
    all.append(line).append("\n");
    return std::string(line);
  };
  challenge.credential = text();
  challenge.step = text();
  challenge.account = text();
  while (!input.empty()) {
    const json::Type type = kTypes[input.byte() % std::size(kTypes)];
    const std::string name = text();
    challenge.echoes.push_back({name, type, SecretBytes(text())});
  }
  if (json::is_utf8(all) && all.size() < kSurelyFits) require(survives(challenge), "a challenge can be kept");
}

// ---------------------------------------------------------------- one-time codes

constexpr std::int64_t kTimes[] = {-1, 0, 59'000, 1'767'323'045'000, 253'402'300'799'000};

bool same_codes(const crypto::TotpSecret &a, const crypto::TotpSecret &b) {
  return std::all_of(std::begin(kTimes), std::end(kTimes),
                     [&](std::int64_t time) { return a.code(time).view() == b.code(time).view() && a.step(time) == b.step(time); });
}

// The same secret as people copy it.
void check_spellings(const std::string &text, const crypto::TotpSecret &secret) {
  std::string letters;
  std::string spaced;
  for (const char c : text) {
    if (std::string_view(" \t\r\n-=").find(c) != std::string_view::npos) continue;
    letters += text::lower(c);
    spaced += std::string(1, c) + " ";
  }
  for (const std::string &spelling : {letters, spaced + "==", "otpauth://totp/Acme:jo?secret=" + letters + "&issuer=Acme"}) {
    if (spelling.size() > 4096) continue;
    const auto again = crypto::TotpSecret::parse(spelling);
    require(again && same_codes(*again, secret), "a secret is the same, however it is spelled");
  }
}

void check_totp(const std::string &text) {
  const auto secret = crypto::TotpSecret::parse(text);
  if (!secret) {
    const Error &error = *secret.error();
    require(error.status == Status::Config && fuzz::is_printable(error.message), "a text that is no secret is E_CONFIG, in plain words");
    return require(error.message.find(kCanary) == std::string::npos, "a refusal quotes nothing");
  }
  require(secret->digits() >= 6 && secret->digits() <= 8 && secret->period() >= 15 && secret->period() <= 120, "it has the usual form");
  for (const std::int64_t time : kTimes) {
    const SecretBytes code = secret->code(time);
    const bool digits = std::all_of(code.view().begin(), code.view().end(), text::is_digit);
    require(digits && code.size() == static_cast<std::size_t>(secret->digits()), "a code is as many digits");
    const std::int64_t begins = secret->step(time) * secret->period() * 1000;
    require(secret->code(begins).view() == code.view() && secret->step(begins) == secret->step(time), "a code is one period's");
  }
  if (text.find(':') == std::string::npos) check_spellings(text, *secret);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.byte()) {
    case 'R':
      check_record(input.all());
      break;
    case 'C':
      check_changed_record(input);
      break;
    case 'J':
      check_inside(input.all());
      break;
    case 'E':
      check_values(input);
      break;
    case 'T':
      check_totp(std::string(input.all()));
      break;
    default:
      break;
  }
  return 0;
}
