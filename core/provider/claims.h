#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace fleetauth::provider {

/// A claim that requests may name.
struct ClaimRule {
  std::string name;
  bool list = false;                  ///< an array of ids in place of one
  std::vector<std::string> excludes;  ///< claims that must not stand beside it, unless all are wildcards
  std::string doc;
};

/// Claims that go together, under a name.
struct ClaimSet {
  std::string name;
  std::vector<std::string> every;     ///< these, each a wildcard; the request names none
  std::vector<std::string> required;  ///< ids
  std::vector<std::string> one_of;    ///< likewise, exactly one of them
  std::vector<std::string> optional;  ///< likewise
  std::string doc;
};

/// Which claims there are and how their ids are written. Without names, tokens are not for claims.
struct ClaimRules {
  std::vector<ClaimRule> names;
  std::vector<ClaimSet> sets;
  std::size_t max_characters = 256;  ///< of an id, counted as Unicode code points
  std::string without;               ///< characters that no id holds
  bool wildcard = false;             ///< "*" stands for every id
};

/// The claims of one token, in the descriptor's order. Immutable.
struct Claims {
  struct Claim {
    std::string name;
    std::vector<std::string> ids;
  };
  std::vector<Claim> all;
  std::string json;  ///< the claims as an object; equal for equal claims

  /// Null when there is no such claim, or it has several ids.
  [[nodiscard]] const std::string *id(std::string_view name) const;
};

/// Reads what a request names: a claim set, claims as the text of a JSON object, or both. Null when it names neither.
/// E_UNSUPPORTED where tokens are not for claims; E_CONFIG says what is wrong, and never repeats an id.
Result<std::shared_ptr<const Claims>> read_claims(const ClaimRules &rules, std::optional<std::string_view> set,
                                                  std::optional<std::string_view> json);

/// For whom and what a token is: there is one for each.
struct Subject {
  std::string account;
  std::shared_ptr<const Claims> claims;

  [[nodiscard]] std::size_t hash() const;
  friend bool operator==(const Subject &a, const Subject &b);
};

}  // namespace fleetauth::provider
