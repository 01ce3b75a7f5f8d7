// Dates and Retry-After against the C library: whatever is read means what gmtime says, and whatever gmtime writes is read.
// Input: eight bytes are an instant, one a zone; the rest is a text.
#include <array>
#include <ctime>
#include <optional>
#include <string>

#include "core/base/http_date.h"
#include "core/flow/retry_after.h"
#include "tests/fuzz/input.h"

using namespace fleetauth;
using fuzz::require;

namespace {

constexpr std::int64_t kYear0 = -62'167'219'200;
constexpr std::int64_t kYear10000 = 253'402'300'800;

std::string written(const char *format, std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 64> out{};
  const std::size_t size = strftime(out.data(), out.size(), format, &parts);
  return {out.data(), size};
}

// strftime's %Y does not pad, and its names follow the locale, which nobody sets here.
std::string year(std::int64_t seconds) {
  const std::string digits = written("%Y", seconds);
  return std::string(4 - digits.size(), '0') + digits;
}

// The weekday is not checked by the parser, so neither here; a leap second is the next one.
void check_http_date(std::string_view text) {
  const auto read = parse_http_date(text);
  if (!read) return;
  require(*read % 1000 == 0 && *read >= kYear0 * 1000 && *read <= kYear10000 * 1000, "a date lies in the years 0 to 9999");
  if (text.find(":60") != std::string_view::npos) return;
  const std::int64_t seconds = *read / 1000;
  const std::string imf = written(", %d %b ", seconds) + year(seconds) + written(" %T GMT", seconds);
  const std::string rfc850 = written(", %d-%b-%y %T GMT", seconds);
  const std::string asctime = written(" %b %e %T ", seconds) + year(seconds);
  const std::string zero_padded = written(" %b %d %T ", seconds) + year(seconds);
  require(text.ends_with(imf) || text.ends_with(rfc850) || text.ends_with(asctime) || text.ends_with(zero_padded),
          "an HTTP-date means what it says");
}

void check_rfc3339(std::string_view text) {
  const auto strict = parse_rfc3339(text, false);
  const auto lenient = parse_rfc3339(text, true);
  require(!strict || strict == lenient, "a zone that is given counts");
  if (!lenient || text.substr(17, 2) == "60") return;
  std::int64_t zone = 0;
  if (const char sign = text[text.size() - 6]; strict && (sign == '+' || sign == '-')) {
    zone = std::stoi(std::string(text.substr(text.size() - 5, 2))) * 60 + std::stoi(std::string(text.substr(text.size() - 2)));
    if (sign == '-') zone = -zone;
  }
  const std::int64_t local = *lenient + zone * 60'000;
  const std::int64_t seconds = (local - (((local % 1000) + 1000) % 1000)) / 1000;
  require(text.substr(0, 10) == year(seconds) + written("-%m-%d", seconds) && text.substr(11, 8) == written("%T", seconds),
          "an RFC 3339 time means what it says");
}

void check_round_trip(std::int64_t seconds, int zone_minutes) {
  const auto ms = std::optional<WallMs>(seconds * 1000);
  require(parse_http_date(written("%a, %d %b ", seconds) + year(seconds) + written(" %T GMT", seconds)) == ms, "IMF-fixdate is read");
  require(parse_http_date(written("%a %b %e %T ", seconds) + year(seconds)) == ms, "asctime is read");
  require(parse_rfc3339(year(seconds) + written("-%m-%dT%TZ", seconds), false) == ms, "RFC 3339 in UTC is read");

  const std::int64_t local = seconds + zone_minutes * 60;
  if (local < kYear0 || local >= kYear10000) return;
  std::array<char, 32> zone{};
  std::snprintf(zone.data(), zone.size(), "%c%02d:%02d", zone_minutes < 0 ? '-' : '+', std::abs(zone_minutes) / 60,
                std::abs(zone_minutes) % 60);
  require(parse_rfc3339(year(local) + written("-%m-%dT%T", local) + zone.data(), false) == ms, "RFC 3339 with a zone is read");
}

void check_retry_after(std::string_view text) {
  constexpr flow::Now kNow{.boot = 1'000'000, .wall = 1'767'323'045'000};
  flow::HttpResponse response;
  response.status = 503;
  response.headers.push_back({"Retry-After", SecretBytes(text)});
  const std::int64_t ms = flow::retry_after_ms(response, kNow);
  require(ms >= -1 && ms <= 3'600'000, "Retry-After is at most an hour");

  const bool digits = !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (digits) require(ms == std::min<std::int64_t>(std::stoll(std::string(text)) * 1000, 3'600'000), "digits are seconds");
  if (const auto date = parse_http_date(text)) {
    require(ms == std::clamp<std::int64_t>(*date - kNow.wall, 0, 3'600'000), "a date is a distance from now");
  }
  response.headers.push_back({"retry-after", SecretBytes("17")});
  require(flow::retry_after_ms(response, kNow) == std::max<std::int64_t>(ms, 17'000), "the longest of several counts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto span = static_cast<std::uint64_t>(kYear10000 - kYear0);
  const std::int64_t seconds = kYear0 + static_cast<std::int64_t>(input.number(8) % span);
  check_round_trip(seconds, (input.byte() - 128) * 11);

  const std::string_view text = input.all();
  check_http_date(text);
  check_rfc3339(text);
  check_retry_after(text);
  return 0;
}
