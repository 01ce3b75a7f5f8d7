// What the providers were asked, oldest first, bounded. Entries are redacted before they come here.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

namespace fleetauth::emulator {

using nlohmann::json;

struct LogFilter {
  std::string provider;  // empty: any
  std::string endpoint;  // empty: any
  std::uint64_t after = 0;
};

class RequestLog {
 public:
  // Takes an object with "provider" and "endpoint"; adds "seq" and answers it.
  std::uint64_t begin(json entry);
  // Merges members into the entry, if it is still there.
  void finish(std::uint64_t seq, const json &members);

  // {"entries":[...], "dropped":n}
  json read(const LogFilter &filter) const;
  // Waits until `count` entries fit the filter; false when time or patience ended first.
  bool wait_for(const LogFilter &filter, std::size_t count, std::chrono::milliseconds time) const;
  void clear();
  // Ends all waits.
  void stop();

  // The oldest entries are dropped, and counted.
  static constexpr std::size_t max_entries = 50'000;

 private:
  std::size_t count_locked(const LogFilter &filter) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool stopped_ = false;
  std::uint64_t next_ = 1;
  std::uint64_t dropped_ = 0;
  std::deque<json> entries_;  // consecutive numbers, the last is next_ - 1
};

}  // namespace fleetauth::emulator
