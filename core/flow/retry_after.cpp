#include "core/flow/retry_after.h"

#include <algorithm>

#include "core/base/http_date.h"
#include "core/base/text.h"
#include "core/flow/server_time.h"

namespace fleetauth::flow {
namespace {

constexpr std::int64_t kMax = 3600 * 1000;

std::int64_t from_seconds(std::string_view digits) {
  std::int64_t seconds = 0;
  for (const char c : digits) {
    if (!text::is_digit(c)) return -1;
    seconds = std::min(seconds * 10 + (c - '0'), kMax);
  }
  return digits.empty() ? -1 : std::min(seconds * 1000, kMax);
}

std::int64_t from_date(std::string_view date, WallMs server_time) {
  const auto at = parse_http_date(date);
  if (!at) return -1;
  return std::clamp(*at - server_time, std::int64_t{0}, kMax);
}

}  // namespace

std::int64_t retry_after_ms(const HttpResponse &response, const Now &now) {
  std::int64_t longest = -1;
  for (const Header &header : response.headers) {
    if (!text::equal_ignore_case(header.name, "retry-after")) continue;
    const std::string_view value = text::trim(header.value.view());
    longest = std::max({longest, from_seconds(value), from_date(value, server_time(response, now))});
  }
  return longest;
}

}  // namespace fleetauth::flow
