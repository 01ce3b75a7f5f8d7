#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace secrets {

/// A text that never stands in memory as it is, so that a search of the memory does not find the searcher.
class Masked {
 public:
  Masked() = default;
  explicit Masked(std::string_view plain);

  [[nodiscard]] std::size_t size() const { return masked_.size(); }
  [[nodiscard]] char at(std::size_t index) const;
  /// Whether the bytes at `data`, which are as many as this has, are the same.
  [[nodiscard]] bool equals(const char *data) const;
  [[nodiscard]] bool is_in(std::string_view text) const;
  /// Lends the plain text; it is wiped when `use` returns.
  void reveal(const std::function<void(std::string_view)> &use) const;

  [[nodiscard]] Masked between(std::string_view before, std::string_view after) const;
  /// The base64 of `before` and this.
  [[nodiscard]] Masked base64(std::string_view before = "") const;
  /// As Java, JavaScript and Windows hold text.
  [[nodiscard]] Masked utf16() const;

 private:
  void append(char plain);
  std::string masked_;
};

/// 32 random letters and digits.
[[nodiscard]] Masked random_secret();

}  // namespace secrets
