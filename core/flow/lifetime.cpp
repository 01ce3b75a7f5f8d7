#include "core/flow/lifetime.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/base/base64.h"
#include "core/base/http_date.h"
#include "core/base/text.h"
#include "core/flow/answer.h"

namespace fleetauth::flow {
namespace {

using Kind = provider::Expiry::Kind;

// Beyond every lifetime, and far enough from the ends of the type that sums and differences stay in it.
constexpr std::int64_t kHuge = INT64_MAX / 4;

std::int64_t whole(double number) {
  if (number >= static_cast<double>(kHuge)) return kHuge;
  if (number <= -static_cast<double>(kHuge)) return -kHuge;
  return static_cast<std::int64_t>(number);
}

std::optional<std::int64_t> from_digits(std::string_view digits, std::size_t max_digits) {
  const bool negative = !digits.empty() && digits.front() == '-';
  if (negative) digits.remove_prefix(1);
  if (digits.empty() || digits.size() > max_digits) return {};
  std::int64_t number = 0;
  for (const char c : digits) {
    if (!text::is_digit(c)) return {};
    number = number * 10 + (c - '0');
  }
  return negative ? -number : number;
}

// A number, or one written as a string; fractions are cut off.
std::optional<std::int64_t> read_number(const json::Document &document, std::string_view path, std::size_t max_digits) {
  const auto node = document.find(path);
  if (!node) return {};
  if (const auto integer = node->integer()) return std::clamp(*integer, -kHuge, kHuge);
  if (const auto number = node->number()) return whole(*number);
  if (const auto digits = node->text()) return from_digits(*digits, max_digits);
  return {};
}

std::int64_t seconds_to_ms(std::int64_t seconds) { return std::clamp(seconds, -kHuge / 1000, kHuge / 1000) * 1000; }

// The exp of a token that happens to be a JWT. A hint: nothing is verified, and nothing is decided by it but when to renew.
std::optional<std::int64_t> jwt_expiry_ms(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return {};
  const auto payload = base64::decode_url(token.substr(first + 1, second - first - 1));
  if (!payload) return {};
  const auto claims = parse_answer(*payload);
  if (!claims) return {};
  const auto exp = read_number(*claims, "/exp", 0);
  if (!exp) return {};
  return seconds_to_ms(*exp);
}

std::optional<std::int64_t> read_expiry(const provider::Expiry &expiry, const json::Document *answer,
                                        std::optional<std::int64_t> jwt_lifetime, WallMs server_time) {
  if (expiry.kind == Kind::Fixed) return expiry.fixed_ms;
  if (expiry.kind == Kind::Jwt) return jwt_lifetime;
  if (answer == nullptr) return {};
  if (expiry.kind == Kind::Iso8601) {
    const auto node = answer->find(expiry.path);
    const auto written = node ? node->text() : std::nullopt;
    const auto at = written ? parse_rfc3339(*written, expiry.no_zone_is_utc) : std::nullopt;
    if (!at) return {};
    return *at - server_time;
  }
  const auto number = read_number(*answer, expiry.path, expiry.kind == Kind::UnixMilliseconds ? 13 : 10);
  if (!number) return {};
  if (expiry.kind == Kind::Seconds) return seconds_to_ms(*number);
  return (expiry.kind == Kind::UnixSeconds ? seconds_to_ms(*number) : *number) - server_time;
}

}  // namespace

Lifetime read_lifetime(const provider::Life &life, const provider::Step &step, const json::Document *answer, std::string_view token,
                       WallMs server_time) {
  std::optional<std::int64_t> jwt_lifetime = jwt_expiry_ms(token);
  if (jwt_lifetime) *jwt_lifetime -= server_time;

  std::optional<std::int64_t> found;
  for (const provider::Expiry &expiry : step.expiry) {
    found = read_expiry(expiry, answer, jwt_lifetime, server_time);
    if (found) break;
  }
  Lifetime out;
  out.unknown = !found && !jwt_lifetime;
  out.ms = found.value_or(jwt_lifetime.value_or(life.default_lifetime_ms));
  if (jwt_lifetime) out.ms = std::min(out.ms, *jwt_lifetime);
  out.ms = std::clamp(out.ms, std::int64_t{0}, life.max_lifetime_ms);
  return out;
}

}  // namespace fleetauth::flow
