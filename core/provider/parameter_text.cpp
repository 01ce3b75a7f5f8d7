#include "core/provider/parameter_text.h"

#include <charconv>

namespace fleetauth::provider {
namespace {

bool is_integer(std::string_view text) {
  const std::string_view digits = text.substr(!text.empty() && text.front() == '-' ? 1 : 0);
  if (digits.empty() || (digits.front() == '0' && text.size() > 1)) return false;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<std::string_view> canonical_value(ParameterType type, std::string_view given) {
  switch (type) {
    case ParameterType::Text:
      return given;
    case ParameterType::Integer:
      if (is_integer(given)) return given;
      return {};
    case ParameterType::Boolean:
      if (given == "true" || given == "1") return "true";
      if (given == "false" || given == "0") return "false";
      return {};
  }
  return {};
}

std::string_view expected_value(ParameterType type) {
  switch (type) {
    case ParameterType::Text:
      return "text";
    case ParameterType::Integer:
      return "a whole number in decimal digits without leading zeros, within 64 bits";
    case ParameterType::Boolean:
      return "true, false, 1 or 0";
  }
  return {};
}

}  // namespace fleetauth::provider
