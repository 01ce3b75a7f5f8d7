// The emulator's clock: real time plus an offset, or fully manual.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace fleetauth::emulator {

class Clock {
 public:
  // Milliseconds since 1970, UTC.
  std::int64_t now_ms() const;
  std::int64_t now_s() const { return now_ms() / 1000; }

  // Negative goes back.
  void advance_ms(std::int64_t by);
  void set_ms(std::int64_t to);
  // Manual: stands still until advanced or set. Going back to real keeps the offset reached so far.
  void set_manual(bool manual);
  bool manual() const;

  // Farthest time that every date format the emulator writes can hold: the end of year 9999.
  static constexpr std::int64_t max_ms = 253'402'300'799'000;

 private:
  std::int64_t now_locked() const;

  mutable std::mutex mutex_;
  bool manual_ = false;
  // Manual: the time itself. Otherwise: the distance from real time.
  std::int64_t value_ms_ = 0;
};

// "2019-01-21T19:18:23.228Z"
std::string iso8601(std::int64_t unix_ms);
// "Mon, 21 Jan 2019 19:18:23 GMT", the form of the Date header.
std::string http_date(std::int64_t unix_ms);

}  // namespace fleetauth::emulator
