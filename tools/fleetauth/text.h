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

}  // namespace fleetauth::command
