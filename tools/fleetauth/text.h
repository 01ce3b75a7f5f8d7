#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fleetauth::command {

/// "a, b".
[[nodiscard]] inline std::string joined(const std::vector<std::string> &texts, std::string_view between = ", ") {
  std::string out;
  for (const std::string &text : texts) out += (out.empty() ? "" : std::string(between)) + text;
  return out;
}

/// With ? in place of control characters: those below 32, 127, and in two bytes U+0080 to U+009F.
[[nodiscard]] inline std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool of_two = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (of_two) ++i;
    out += byte < 0x20 || byte == 0x7F || of_two ? '?' : text[i];
  }
  return out;
}

}  // namespace fleetauth::command
