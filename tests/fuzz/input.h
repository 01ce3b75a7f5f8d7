#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fleetauth::fuzz {

/// Ends the run when a property does not hold.
inline void require(bool holds, const char *property) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %s\n", property);
  std::abort();
}

/// What a target is given, read from the front. Past its end everything is 0 and empty.
class Input {
 public:
  Input(const std::uint8_t *data, std::size_t size) : rest_(reinterpret_cast<const char *>(data), size) {}

  std::uint8_t byte() {
    const std::string_view one = bytes(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
  }

  std::uint64_t number(std::size_t size) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < size; ++i) out = out << 8U | byte();
    return out;
  }

  std::string_view bytes(std::size_t count) {
    const std::string_view found = rest_.substr(0, count);
    rest_.remove_prefix(found.size());
    return found;
  }

  /// Up to the next `end`, which is skipped.
  std::string_view until(char end) {
    const std::string_view found = bytes(rest_.find(end));
    rest_.remove_prefix(std::min<std::size_t>(1, rest_.size()));
    return found;
  }

  std::string_view all() { return bytes(rest_.size()); }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// One line, or several, that can go into any log.
inline bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f); });
}

}  // namespace fleetauth::fuzz
