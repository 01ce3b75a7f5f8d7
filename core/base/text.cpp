#include "core/base/text.h"

#include <algorithm>

namespace fleetauth::text {
namespace {

constexpr auto same_letter = [](char a, char b) { return lower(a) == lower(b); };

// Levenshtein distance, with '-' and '_' taken for the same.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) { return same_letter(x == '-' ? '_' : x, y == '-' ? '_' : y); };
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char &c : out) c = lower(c);
  return out;
}

bool equal_ignore_case(std::string_view a, std::string_view b) { return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_letter); }

bool contains_ignore_case(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same_letter) != text.end() || part.empty();
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<std::string_view> nearest(std::string_view name, const std::vector<std::string_view> &known) {
  constexpr std::size_t kLongestName = 64;  // keeps the work small whatever is given
  if (name.empty() || name.size() > kLongestName) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = name.size() / 3 + 2;  // one slip in short names, more in long ones
  for (const std::string_view candidate : known) {
    const std::size_t d = distance(name, candidate);
    if (d < best_distance && d < candidate.size()) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace fleetauth::text
