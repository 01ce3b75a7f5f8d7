#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

/// Reading a descriptor's tree and gathering everything that is wrong with it. For the provider layer only.
namespace fleetauth::provider::lint {

/// Complaints, each as "source:line: /pointer: what". Above kMax they are only counted.
class Problems {
 public:
  static constexpr std::size_t kMax = 20;
  explicit Problems(std::string_view source) : source_(source) {}
  void add(std::size_t line, std::string_view pointer, std::string_view what);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] ErrorPtr error() const;  ///< E_DESCRIPTOR

 private:
  std::string source_;
  std::string text_;
  std::size_t count_ = 0;
};

/// A value in the tree and the way to it.
class Place {
 public:
  Place(const json::Value &value, std::string pointer, Problems &problems)
      : value_(&value), pointer_(std::move(pointer)), problems_(&problems) {}

  [[nodiscard]] const json::Value &value() const { return *value_; }
  void complain(std::string_view what) const { problems_->add(value_->line, pointer_, what); }
  [[nodiscard]] Place member(std::string_view name, const json::Value &value) const;
  [[nodiscard]] Place item(std::size_t index) const;

  // Each of these complains when the value is not what it should be and then returns something harmless.
  [[nodiscard]] std::string text(std::size_t max_size = 256) const;
  [[nodiscard]] std::int64_t integer(std::int64_t min, std::int64_t max) const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::vector<Place> items(std::size_t max) const;                            ///< at least one
  [[nodiscard]] std::vector<std::pair<std::string, Place>> members(std::size_t max) const;  ///< of an object of named things
  [[nodiscard]] std::size_t choice(const std::vector<std::string_view> &words) const;       ///< its index; 0 when wrong

 private:
  const json::Value *value_;
  std::string pointer_;
  Problems *problems_;
};

/// The members of an object with a fixed set of names.
class Fields {
 public:
  /// `known` are all names that may occur; others are complained of at once.
  Fields(const Place &place, std::vector<std::string_view> known);

  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  /// The member, which the caller knows to be there.
  [[nodiscard]] Place at(std::string_view name) const;
  /// Whether it is there; complains if not.
  [[nodiscard]] bool require(std::string_view name) const;

 private:
  [[nodiscard]] const json::Value *find(std::string_view name) const;
  Place place_;
};

/// "a", "a or b", "a, b or c"; each in quotes.
[[nodiscard]] std::string alternatives(const std::vector<std::string_view> &words);
/// `"name"`, then ` (did you mean "nearest"?)` when one of the known names is near.
[[nodiscard]] std::string quoted_with_hint(std::string_view name, const std::vector<std::string_view> &known);

}  // namespace fleetauth::provider::lint
