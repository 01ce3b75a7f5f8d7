#include "request_log.h"

#include <algorithm>

namespace fleetauth::emulator {
namespace {

bool fits(const json &entry, const LogFilter &filter) {
  return entry["seq"] > filter.after && (filter.provider.empty() || entry["provider"] == filter.provider) &&
         (filter.endpoint.empty() || entry["endpoint"] == filter.endpoint);
}

}  // namespace

std::uint64_t RequestLog::begin(json entry) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t seq = next_++;
  entry["seq"] = seq;
  entries_.push_back(std::move(entry));
  if (entries_.size() > max_entries) {
    entries_.pop_front();
    ++dropped_;
  }
  changed_.notify_all();
  return seq;
}

void RequestLog::finish(std::uint64_t seq, const json &members) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t first = next_ - entries_.size();
  if (seq < first) return;
  entries_[static_cast<std::size_t>(seq - first)].update(members);
}

json RequestLog::read(const LogFilter &filter) const {
  const std::lock_guard lock(mutex_);
  json found = json::array();
  for (const json &entry : entries_) {
    if (fits(entry, filter)) found.push_back(entry);
  }
  return {{"entries", std::move(found)}, {"dropped", dropped_}};
}

std::size_t RequestLog::count_locked(const LogFilter &filter) const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const json &entry) { return fits(entry, filter); }));
}

bool RequestLog::wait_for(const LogFilter &filter, std::size_t count, std::chrono::milliseconds time) const {
  std::unique_lock lock(mutex_);
  const auto enough = [&] { return count_locked(filter) >= count; };
  changed_.wait_for(lock, time, [&] { return stopped_ || enough(); });
  return enough();
}

void RequestLog::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  dropped_ = 0;
}

void RequestLog::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace fleetauth::emulator
