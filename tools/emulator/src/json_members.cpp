#include "json_members.h"

#include <utility>

namespace fleetauth::emulator {
namespace {

std::string joined(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words) text += (text.empty() ? "\"" : ", \"") + word + "\"";
  return text;
}

}  // namespace

Members::Members(const json &object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object_.is_object()) throw ConfigError(where_ + " must be a JSON object");
}

const json *Members::value(const std::string &name) {
  known_.insert(name);
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

void Members::fail(const std::string &member, const std::string &expected) const {
  throw ConfigError(where_ + "." + member + " must be " + expected);
}

std::optional<bool> Members::boolean(const std::string &name) {
  const json *found = value(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_boolean()) fail(name, "true or false");
  return found->get<bool>();
}

std::optional<std::int64_t> Members::integer(const std::string &name, std::int64_t low, std::int64_t high) {
  const json *found = value(name);
  if (found == nullptr) return std::nullopt;
  const std::string expected = "an integer from " + std::to_string(low) + " to " + std::to_string(high);
  // Unsigned numbers above 2^63 would wrap in the conversion below.
  if (!found->is_number_integer() || (found->is_number_unsigned() && std::cmp_greater(found->get<std::uint64_t>(), high))) {
    fail(name, expected);
  }
  const auto number = found->get<std::int64_t>();
  if (number < low || number > high) fail(name, expected);
  return number;
}

std::optional<double> Members::number(const std::string &name, double low, double high) {
  const json *found = value(name);
  if (found == nullptr) return std::nullopt;
  const auto number = found->is_number() ? found->get<double>() : low - 1;
  if (!(number >= low && number <= high)) {
    fail(name, "a number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return number;
}

std::optional<std::string> Members::text(const std::string &name) {
  const json *found = value(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) fail(name, "a string");
  return found->get<std::string>();
}

std::optional<std::string> Members::one_of(const std::string &name, const std::vector<std::string> &choices) {
  auto found = text(name);
  if (!found) return std::nullopt;
  for (const std::string &choice : choices) {
    if (*found == choice) return found;
  }
  fail(name, "one of " + joined(choices));
}

std::optional<std::vector<std::string>> Members::texts(const std::string &name) {
  const json *found = value(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_array()) fail(name, "an array of strings");
  std::vector<std::string> result;
  for (const json &item : *found) {
    if (!item.is_string()) fail(name, "an array of strings");
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::string Members::required_text(const std::string &name) {
  auto found = text(name);
  if (!found || found->empty()) fail(name, "a string which is not empty");
  return *found;
}

void Members::finish() const {
  for (const auto &[name, unused] : object_.items()) {
    if (known_.contains(name)) continue;
    throw ConfigError(where_ + " has an unknown member; it may have: " + joined({known_.begin(), known_.end()}));
  }
}

json parse_config(const std::string &text, const std::string &where) {
  json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) throw ConfigError(where + " is not valid JSON");
  return parsed;
}

}  // namespace fleetauth::emulator
