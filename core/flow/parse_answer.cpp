#include <charconv>

#include "core/base/text.h"
#include "core/flow/answer.h"

namespace fleetauth::flow {
namespace {

bool is_word(char c) { return text::is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'z') || c == '+' || c == '-' || c == '.'; }

// What a bare word outside strings is replaced by: never longer, and valid JSON. Empty when it may stay.
std::string_view replacement(std::string_view word) {
  if (word == "NaN") return "\"\"";
  if (word == "Infinity" || word == "-Infinity") return "null";
  double number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (end != word.data() + word.size()) return {};
  const bool tiny = word.find("e-") != std::string_view::npos || word.find("E-") != std::string_view::npos;
  const bool beyond = error == std::errc::result_out_of_range ? !tiny : number >= 0x1p63 || number <= -0x1p63;
  if (!beyond) return {};
  return word.front() == '-' ? "-9e18" : "9e18";
}

// Only strings and bare words are told apart here; whether it all is JSON the strict parser decides afterwards.
SecretBytes with_usable_numbers(const SecretBytes &body) {
  const std::string_view in = body.view();
  SecretBytes out;
  out.reserve(in.size());
  for (std::size_t i = 0; i < in.size();) {
    std::size_t end = i + 1;
    if (in[i] == '"') {
      while (end < in.size() && in[end] != '"') end += in[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, in.size());
    } else if (is_word(in[i])) {
      while (end < in.size() && is_word(in[end])) ++end;
      if (const auto better = replacement(in.substr(i, end - i)); !better.empty()) {
        out.append(better);
        i = end;
        continue;
      }
    }
    out.append(in.substr(i, end - i));
    i = end;
  }
  return out;
}

}  // namespace

Result<json::Document> parse_answer(const SecretBytes &body) {
  auto strict = json::Document::parse(body);
  if (strict) return strict;
  auto repaired = json::Document::parse(with_usable_numbers(body));
  return repaired ? std::move(repaired) : std::move(strict);
}

}  // namespace fleetauth::flow
