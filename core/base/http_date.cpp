#include "core/base/http_date.h"

#include <array>
#include <chrono>
#include <cstdint>

#include "core/base/text.h"

namespace fleetauth {
namespace {

// Reads a text from left to right; once something did not fit, everything after fails too.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // Exactly `count` digits.
  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= rest_.size() || !text::is_digit(rest_[i])) return broken();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  void expect(std::string_view literal) {
    if (rest_.substr(0, literal.size()) == literal) {
      rest_.remove_prefix(literal.size());
    } else {
      broken();
    }
  }
  bool take(char c) {
    if (!ok_ || rest_.empty() || text::lower(rest_.front()) != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // The index of the name that stands here.
  template <std::size_t N>
  int name(const std::array<std::string_view, N> &names) {
    for (std::size_t i = 0; i < N; ++i) {
      if (rest_.substr(0, names[i].size()) == names[i]) {
        rest_.remove_prefix(names[i].size());
        return static_cast<int>(i);
      }
    }
    return broken();
  }
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  [[nodiscard]] bool finished() const { return ok_ && rest_.empty(); }
  int broken() {
    ok_ = false;
    return 0;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> kLongDays = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

// A leap second is the same instant as the second after it.
std::optional<std::int64_t> seconds_since_1970(const Fields &f) {
  const std::chrono::year_month_day date{std::chrono::year(f.year), std::chrono::month(static_cast<unsigned>(f.month)),
                                         std::chrono::day(static_cast<unsigned>(f.day))};
  if (!date.ok() || f.hour > 23 || f.minute > 59 || f.second > 60) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + f.hour) * 60 + f.minute) * 60 + f.second;
}

void read_time(Reader &in, Fields &f) {
  f.hour = in.digits(2);
  in.expect(":");
  f.minute = in.digits(2);
  in.expect(":");
  f.second = in.digits(2);
}

// Sun, 06 Nov 1994 08:49:37 GMT
Fields read_imf_fixdate(Reader &in) {
  Fields f;
  in.name(kDays);
  in.expect(", ");
  f.day = in.digits(2);
  in.expect(" ");
  f.month = in.name(kMonths) + 1;
  in.expect(" ");
  f.year = in.digits(4);
  in.expect(" ");
  read_time(in, f);
  in.expect(" GMT");
  return f;
}

// Sunday, 06-Nov-94 08:49:37 GMT. Two digits of a year always mean 1970 to 2069 here: the rule of RFC 9110 ("not more than
// 50 years ahead") would make the result depend on today.
Fields read_rfc850(Reader &in) {
  Fields f;
  in.name(kLongDays);
  in.expect(", ");
  f.day = in.digits(2);
  in.expect("-");
  f.month = in.name(kMonths) + 1;
  in.expect("-");
  f.year = in.digits(2);
  f.year += f.year < 70 ? 2000 : 1900;
  in.expect(" ");
  read_time(in, f);
  in.expect(" GMT");
  return f;
}

// Sun Nov  6 08:49:37 1994
Fields read_asctime(Reader &in) {
  Fields f;
  in.name(kDays);
  in.expect(" ");
  f.month = in.name(kMonths) + 1;
  in.expect(" ");
  f.day = in.peek() == ' ' ? (in.expect(" "), in.digits(1)) : in.digits(2);
  in.expect(" ");
  read_time(in, f);
  in.expect(" ");
  f.year = in.digits(4);
  return f;
}

// Milliseconds of ".123456789"; what is finer is cut off.
int read_fraction(Reader &in) {
  if (!in.take('.')) return 0;
  int milliseconds = 0;
  int count = 0;
  for (; text::is_digit(in.peek()); ++count) {
    const int digit = in.digits(1);
    if (count < 3) milliseconds = milliseconds * 10 + digit;
  }
  if (count == 0 || count > 9) return in.broken();
  for (; count < 3; ++count) milliseconds *= 10;
  return milliseconds;
}

// Minutes east of Greenwich.
int read_zone(Reader &in, bool may_be_absent) {
  if (in.take('z') || (may_be_absent && in.finished())) return 0;
  const bool west = in.take('-');
  if (!west && !in.take('+')) return in.broken();
  const int hours = in.digits(2);
  in.expect(":");
  const int minutes = in.digits(2);
  if (hours > 23 || minutes > 59) return in.broken();
  return (west ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::optional<WallMs> parse_http_date(std::string_view text) {
  for (const auto read : {read_imf_fixdate, read_rfc850, read_asctime}) {
    Reader in(text);
    const Fields fields = read(in);
    if (!in.finished()) continue;
    const auto seconds = seconds_since_1970(fields);
    return seconds ? std::optional<WallMs>(*seconds * 1000) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<WallMs> parse_rfc3339(std::string_view text, bool no_zone_is_utc) {
  Reader in(text);
  Fields fields;
  fields.year = in.digits(4);
  in.expect("-");
  fields.month = in.digits(2);
  in.expect("-");
  fields.day = in.digits(2);
  if (!in.take('t')) return std::nullopt;
  read_time(in, fields);
  const int milliseconds = read_fraction(in);
  const int zone_minutes = read_zone(in, no_zone_is_utc);
  const auto seconds = seconds_since_1970(fields);
  if (!in.finished() || !seconds) return std::nullopt;
  return (*seconds - zone_minutes * 60) * 1000 + milliseconds;
}

}  // namespace fleetauth
