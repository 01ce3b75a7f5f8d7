// Strict reading of a JSON object that a user wrote: every member is expected, typed and named in errors.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace fleetauth::emulator {

using nlohmann::json;

// The user's JSON is wrong. The text says where and what is expected; it never holds a value.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Members {
 public:
  // `where` names the object in errors, such as "faults[0].do".
  Members(const json &object, std::string where);

  std::optional<bool> boolean(const std::string &name);
  std::optional<std::int64_t> integer(const std::string &name, std::int64_t low, std::int64_t high);
  std::optional<double> number(const std::string &name, double low, double high);
  std::optional<std::string> text(const std::string &name);
  std::optional<std::string> one_of(const std::string &name, const std::vector<std::string> &choices);
  std::optional<std::vector<std::string>> texts(const std::string &name);
  // Every element of an array, read by `read(element, its place)`.
  template <class Read>
  auto each(const std::string &name, Read read) -> std::optional<std::vector<std::invoke_result_t<Read, const json &, std::string>>>;
  // The same of an array that is not empty.
  template <class Read>
  auto list(const std::string &name, Read read) {
    auto items = each(name, read);
    if (items && items->empty()) fail(name, "an array with at least one object");
    return items;
  }
  // Any JSON value; nullptr when absent. Borrowed from the object.
  const json *value(const std::string &name);

  std::string required_text(const std::string &name);

  // Refuses members that nobody asked for. Call it last.
  void finish() const;
  [[noreturn]] void fail(const std::string &member, const std::string &expected) const;

 private:
  const json &object_;
  std::string where_;
  std::set<std::string> known_;
};

template <class Read>
auto Members::each(const std::string &name, Read read)
    -> std::optional<std::vector<std::invoke_result_t<Read, const json &, std::string>>> {
  const json *found = value(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_array()) fail(name, "an array");
  std::vector<std::invoke_result_t<Read, const json &, std::string>> result;
  for (const json &item : *found) result.push_back(read(item, where_ + "." + name + "[" + std::to_string(result.size()) + "]"));
  return result;
}

// Throws ConfigError unless `text` is one JSON document.
json parse_config(const std::string &text, const std::string &where);

}  // namespace fleetauth::emulator
