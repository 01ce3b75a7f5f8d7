#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/provider/descriptor.h"

namespace fleetauth::provider {

/// The words for ParameterType, in its order.
inline constexpr std::array<std::string_view, 3> kParameterTypeWords{"text", "integer", "boolean"};

/// The canonical text of a value that was given as text: integers as they are, booleans as true or false. None when it is not of the type.
[[nodiscard]] std::optional<std::string_view> canonical_value(ParameterType type, std::string_view given);
/// What is expected, for messages.
[[nodiscard]] std::string_view expected_value(ParameterType type);

}  // namespace fleetauth::provider
