#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Text as protocols compare it: ASCII only, whatever the locale.
namespace fleetauth::text {

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
[[nodiscard]] std::string lower(std::string_view text);

[[nodiscard]] bool equal_ignore_case(std::string_view a, std::string_view b);
[[nodiscard]] bool contains_ignore_case(std::string_view text, std::string_view part);

/// Without the spaces and tabs around it.
[[nodiscard]] std::string_view trim(std::string_view text);

/// The known name somebody most likely meant, for "did you mean"; none when nothing is near.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view name, const std::vector<std::string_view> &known);

}  // namespace fleetauth::text
