#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace fleetauth::command {

/// The known name somebody most likely meant; none when nothing is near.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view name, const std::vector<std::string_view> &known);

}  // namespace fleetauth::command
