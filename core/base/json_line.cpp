#include <algorithm>
#include <string_view>

#include "core/base/json.h"
#include "core/base/json_strict.h"
#include "core/base/text.h"

namespace fleetauth::json {
namespace {

// Walks over a text until it is no JSON any more. Less strict than the parser, which has the last word: it only has to find the place.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  // Whether all of the text was walked over; where not, place() is the problem.
  bool document() {
    if (!value(0)) return false;
    skip_space();
    return at_ == text_.size();
  }
  [[nodiscard]] std::size_t place() const { return at_; }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  // `c` after white space.
  bool take(char c) {
    skip_space();
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  bool value(std::size_t depth) {
    skip_space();
    if (depth > kMaxDepth) return false;
    if (peek() == '"') return string();
    if (take('{')) return take('}') || members(depth, '}', true);
    if (take('[')) return take(']') || members(depth, ']', false);
    return word();
  }

  bool members(std::size_t depth, char close, bool named) {
    do {
      if (named && (!string() || !take(':'))) return false;
      if (!value(depth + 1)) return false;
    } while (take(','));
    return take(close);
  }

  bool string() {
    if (!take('"')) return false;
    const std::size_t begin = at_;
    for (; peek() != '"'; ++at_) {
      if (static_cast<unsigned char>(peek()) < 0x20) return false;
      if (peek() != '\\') continue;
      ++at_;
      if (std::string_view("\"\\/bfnrtu").find(peek()) == std::string_view::npos) return false;
    }
    if (!is_utf8(text_.substr(begin, at_ - begin))) return false;
    ++at_;
    return true;
  }

  bool word() {
    const std::string_view rest = text_.substr(at_);
    for (const std::string_view known : {"true", "false", "null"}) {
      if (rest.starts_with(known)) return at_ += known.size(), true;
    }
    const std::size_t size = std::min(rest.find_first_not_of("+-.0123456789eE"), rest.size());
    at_ += size;
    return size != 0 && (text::is_digit(rest.front()) || rest.front() == '-');
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::size_t line_of_problem(std::string_view text) {
  Walker walker(text);
  if (walker.document()) return 0;
  const std::string_view before = text.substr(0, walker.place());
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

}  // namespace fleetauth::json
