#include "clock.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace fleetauth::emulator {
namespace {

std::int64_t real_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::tm utc(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

std::int64_t Clock::now_locked() const {
  const std::int64_t now = manual_ ? value_ms_ : real_ms() + value_ms_;
  return std::clamp<std::int64_t>(now, 0, max_ms);
}

std::int64_t Clock::now_ms() const {
  const std::lock_guard lock(mutex_);
  return now_locked();
}

void Clock::advance_ms(std::int64_t by) {
  const std::lock_guard lock(mutex_);
  const std::int64_t target = std::clamp<std::int64_t>(now_locked() + by, 0, max_ms);
  value_ms_ = manual_ ? target : target - real_ms();
}

void Clock::set_ms(std::int64_t to) {
  const std::lock_guard lock(mutex_);
  value_ms_ = manual_ ? to : to - real_ms();
}

void Clock::set_manual(bool manual) {
  const std::lock_guard lock(mutex_);
  if (manual == manual_) return;
  const std::int64_t now = now_locked();
  manual_ = manual;
  value_ms_ = manual ? now : now - real_ms();
}

bool Clock::manual() const {
  const std::lock_guard lock(mutex_);
  return manual_;
}

std::string iso8601(std::int64_t unix_ms) {
  const std::tm t = utc(unix_ms);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                t.tm_min, t.tm_sec, static_cast<int>(unix_ms % 1000));
  return text.data();
}

std::string http_date(std::int64_t unix_ms) {
  // Not strftime: its names follow the process's locale.
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm t = utc(unix_ms);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[static_cast<std::size_t>(t.tm_wday)], t.tm_mday,
                months[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
  return text.data();
}

}  // namespace fleetauth::emulator
