// The number in an answer against a reference that reads it as the C library does. Input: one byte chooses what the number means, the rest
// is the JSON value at /e.
#include <cmath>
#include <optional>
#include <string>

#include "core/flow/answer.h"
#include "core/flow/lifetime.h"
#include "tests/fuzz/input.h"

using namespace fleetauth;
using fuzz::require;

namespace {

using Kind = provider::Expiry::Kind;
constexpr WallMs kServer = 1'767'323'045'000;

// A JSON number, if the text is one with nothing around it.
std::optional<long double> json_number(const std::string &text) {
  const std::size_t first = text.find_first_not_of('-');
  const bool plain = text.find_first_not_of("+-.eE0123456789") == std::string::npos && first != std::string::npos && first <= 1;
  if (!plain || text[first] < '0' || text[first] > '9') return {};
  char *end = nullptr;
  const long double number = std::strtold(text.c_str(), &end);
  if (*end != '\0') return {};
  return number;
}

// Decimal digits in quotes.
std::optional<long double> quoted_number(const std::string &text, std::size_t max_digits) {
  if (text.size() < 3 || text.front() != '"' || text.back() != '"') return {};
  const std::string inner = text.substr(1, text.size() - 2);
  const std::string digits = inner.front() == '-' ? inner.substr(1) : inner;
  if (digits.empty() || digits.size() > max_digits || digits.find_first_not_of("0123456789") != std::string::npos) return {};
  return std::strtold(inner.c_str(), nullptr);
}

// Bounds are drawn where a double is still exact enough to compare with.
std::int64_t reference(long double number, Kind kind, std::int64_t max_ms) {
  const long double whole = std::trunc(number);
  const long double ms = kind == Kind::UnixMilliseconds ? whole : whole * 1000;
  const long double life = kind == Kind::Seconds ? ms : ms - kServer;
  return life <= 0 ? 0 : life >= static_cast<long double>(max_ms) ? max_ms : static_cast<std::int64_t>(life);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  constexpr Kind kKinds[] = {Kind::Seconds, Kind::UnixSeconds, Kind::UnixMilliseconds, Kind::Iso8601};
  fuzz::Input input(data, size);
  const Kind kind = kKinds[input.byte() % std::size(kKinds)];
  const std::string value(input.all());

  provider::Life life;
  provider::Step step;
  step.expiry.push_back({.kind = kind, .path = "/e", .no_zone_is_utc = true});
  const auto answer = flow::parse_answer(SecretBytes("{\"e\":" + value + ",\"token\":\"abc\"}"));
  if (!answer) return 0;
  const flow::Lifetime found = flow::read_lifetime(life, step, &*answer, "abc", kServer);
  require(found.ms >= 0 && found.ms <= life.max_lifetime_ms, "a lifetime lies between 0 and the maximum");
  require(!found.unknown || found.ms == life.default_lifetime_ms, "what is not understood is the default");

  if (kind == Kind::Iso8601) return 0;
  auto number = json_number(value);
  if (!number) number = quoted_number(value, kind == Kind::UnixMilliseconds ? 13 : 10);
  if (!number) return 0;
  require(!found.unknown, "a number is understood");
  const std::int64_t expected = reference(*number, kind, life.max_lifetime_ms);
  // A fraction beside a whole number may round to it on the way through a double.
  require(std::abs(found.ms - expected) <= (std::trunc(*number) == *number ? 0 : 1000), "a number is what the reference reads");
  return 0;
}
