#include "tools/fleetauth/suggest.h"

#include <algorithm>
#include <numeric>

namespace fleetauth::command {

namespace {

/// How many letters have to be put in, left out or exchanged (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t exchanged = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({exchanged, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view name, const std::vector<std::string_view> &known) {
  constexpr std::size_t kLongestName = 64;
  if (name.size() > kLongestName) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t limit = name.size() / 3 + 1;  // more slips in longer names
  for (const std::string_view candidate : known) {
    const std::size_t slips = distance(name, candidate);
    if (slips > limit || slips >= candidate.size() || (best && slips == limit)) continue;
    best = candidate;
    limit = slips;
  }
  return best;
}

}  // namespace fleetauth::command
