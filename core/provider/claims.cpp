#include "core/provider/claims.h"

#include <algorithm>
#include <functional>

#include "core/base/json.h"
#include "core/provider/errors.h"
#include "core/provider/lint.h"

namespace fleetauth::provider {
namespace {

constexpr std::string_view kEveryId = "*";
constexpr std::size_t kMaxText = 256 * 1024;
constexpr std::size_t kMaxIds = 1000;

ErrorPtr refuse(const std::string &what) { return fail(Status::Config, what); }

template <class Rule>
const Rule *find(const std::vector<Rule> &rules, std::string_view name) {
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const Rule &rule) { return rule.name == name; });
  return found == rules.end() ? nullptr : &*found;
}

template <class Rule>
ErrorPtr unknown(std::string_view what, std::string_view name, const std::vector<Rule> &rules) {
  std::vector<std::string_view> known;
  known.reserve(rules.size());
  for (const Rule &rule : rules) known.push_back(rule.name);
  return refuse("there is no " + std::string(what) + " " + lint::quoted_with_hint(name, known) + "; there " +
                (known.empty() ? "is none" : "are " + lint::alternatives(known)));
}

bool contains(const std::vector<std::string> &names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_wildcard(const Claims::Claim &claim) { return claim.ids.front() == kEveryId; }

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// ---------------------------------------------------------------- one claim

ErrorPtr check_id(const ClaimRules &rules, const std::string &claim, const std::string &id) {
  const std::string what = "the claim " + quoted(claim) + " ";
  if (id.empty()) return refuse(what + "must not be empty");
  if (id == kEveryId)
    return rules.wildcard ? nullptr : refuse(what + "must be one id: * stands for every one, and is not for this client to ask");
  if (characters(id) > rules.max_characters) return refuse(what + "has more than " + std::to_string(rules.max_characters) + " characters");
  if (id.find_first_of(rules.without) != std::string::npos) return refuse(what + "must hold none of the characters " + rules.without);
  const bool control = std::any_of(id.begin(), id.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return control ? refuse(what + "must hold no control characters") : nullptr;
}

Result<Claims::Claim> read_one(const ClaimRules &rules, const ClaimRule &rule, const json::Value &value) {
  Claims::Claim out{rule.name, {}};
  const auto is_text = [](const json::Value &item) { return item.type == json::Type::String; };
  if (rule.list ? value.type != json::Type::Array || !std::all_of(value.items.begin(), value.items.end(), is_text) : !is_text(value)) {
    return refuse("the claim " + quoted(rule.name) + " must be " + (rule.list ? "an array of strings" : "a string"));
  }
  if (!rule.list) out.ids.push_back(value.text);
  for (const json::Value &item : value.items) out.ids.push_back(item.text);
  if (out.ids.empty() || out.ids.size() > kMaxIds)
    return refuse("the claim " + quoted(rule.name) + " must hold from 1 to " + std::to_string(kMaxIds) + " ids");
  for (const std::string &id : out.ids) {
    if (auto error = check_id(rules, rule.name, id)) return error;
  }
  if (out.ids.size() > 1 && contains(out.ids, kEveryId))
    return refuse("the claim " + quoted(rule.name) + " holds * beside ids: * stands alone");
  auto sorted = out.ids;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return refuse("the claim " + quoted(rule.name) + " holds an id twice");
  return out;
}

/// In the order of the rules, so that equal claims are equal texts.
Result<std::vector<Claims::Claim>> read_all(const ClaimRules &rules, std::string_view text) {
  std::vector<Claims::Claim> out;
  if (text.size() > kMaxText) return refuse("the claims are above " + std::to_string(kMaxText) + " bytes");
  const auto tree = json::parse_tree(text, "claims", Status::Config);
  if (!tree) return tree.error();
  if (tree->type != json::Type::Object) return refuse("the claims must be a JSON object of names and ids");
  for (const auto &[name, value] : tree->members) {
    if (find(rules.names, name) == nullptr) return unknown("claim", name, rules.names);
  }
  for (const ClaimRule &rule : rules.names) {
    const json::Value *value = tree->member(rule.name);
    if (value == nullptr) continue;
    auto claim = read_one(rules, rule, *value);
    if (!claim) return claim.error();
    out.push_back(std::move(*claim));
  }
  return out;
}

// ---------------------------------------------------------------- what goes together

std::vector<Claims::Claim> wildcards(const ClaimRules &rules, const ClaimSet &set) {
  std::vector<Claims::Claim> out;
  for (const ClaimRule &rule : rules.names) {
    if (contains(set.every, rule.name)) out.push_back({rule.name, {std::string(kEveryId)}});
  }
  return out;
}

std::string expected(const ClaimSet &set) {
  const auto listed = [](const std::vector<std::string> &names, std::string_view between) {
    std::string out;
    for (const std::string &name : names) out += (out.empty() ? "" : std::string(between)) + quoted(name);
    return out;
  };
  std::string out = listed(set.required, " and ");
  if (!set.one_of.empty()) out += (out.empty() ? "" : " and ") + listed(set.one_of, " or ");
  if (!set.optional.empty()) out += " and perhaps " + listed(set.optional, " and ");
  return out;
}

ErrorPtr check_set(const ClaimSet &set, const std::vector<Claims::Claim> &claims) {
  const std::string what = "the claim set " + quoted(set.name) + " ";
  const auto named = [&](const std::string &name) {
    return std::any_of(claims.begin(), claims.end(), [&](const Claims::Claim &claim) { return claim.name == name; });
  };
  const bool others = std::any_of(claims.begin(), claims.end(), [&](const Claims::Claim &claim) {
    return !contains(set.required, claim.name) && !contains(set.one_of, claim.name) && !contains(set.optional, claim.name);
  });
  const bool all = std::all_of(set.required.begin(), set.required.end(), named);
  const bool one = set.one_of.empty() || std::count_if(set.one_of.begin(), set.one_of.end(), named) == 1;
  if (others || !all || !one) return refuse(what + "takes " + expected(set) + ", and no other claims");
  if (std::any_of(claims.begin(), claims.end(), is_wildcard)) return refuse(what + "is for ids, not for *");
  return nullptr;
}

ErrorPtr check_exclusions(const ClaimRules &rules, const std::vector<Claims::Claim> &claims) {
  if (std::all_of(claims.begin(), claims.end(), is_wildcard)) return nullptr;
  for (const Claims::Claim &claim : claims) {
    const ClaimRule &rule = *find(rules.names, claim.name);
    for (const Claims::Claim &other : claims) {
      if (contains(rule.excludes, other.name))
        return refuse("the claims " + quoted(claim.name) + " and " + quoted(other.name) + " exclude each other");
    }
  }
  return nullptr;
}

std::shared_ptr<const Claims> made(const ClaimRules &rules, std::vector<Claims::Claim> claims) {
  json::Value object;
  object.type = json::Type::Object;
  const auto text = [](const std::string &id) {
    json::Value value;
    value.type = json::Type::String;
    value.text = id;
    return value;
  };
  for (const Claims::Claim &claim : claims) {
    json::Value value;
    if (find(rules.names, claim.name)->list) {
      value.type = json::Type::Array;
      for (const std::string &id : claim.ids) value.items.push_back(text(id));
    } else {
      value = text(claim.ids.front());
    }
    object.members.emplace_back(claim.name, std::move(value));
  }
  return std::make_shared<const Claims>(Claims{std::move(claims), json::to_text(object)});
}

}  // namespace

const std::string *Claims::id(std::string_view name) const {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Claim &claim) { return claim.name == name; });
  return found == all.end() || found->ids.size() != 1 ? nullptr : &found->ids.front();
}

std::size_t Subject::hash() const {
  constexpr std::size_t kOdd = 0x9E3779B97F4A7C15;
  const std::hash<std::string> of;
  return claims == nullptr ? of(account) : of(account) * kOdd + of(claims->json);
}

bool operator==(const Subject &a, const Subject &b) {
  if (a.account != b.account) return false;
  if (a.claims == nullptr || b.claims == nullptr) return a.claims == b.claims;
  return a.claims->json == b.claims->json;
}

Result<std::shared_ptr<const Claims>> read_claims(const ClaimRules &rules, std::optional<std::string_view> set_name,
                                                  std::optional<std::string_view> json) {
  if (!set_name && !json) return std::shared_ptr<const Claims>();
  if (rules.names.empty()) {
    return fail(Status::Unsupported, "its tokens are not for claims; leave the request options \"claim_set\" and \"claims\" out");
  }
  const ClaimSet *set = set_name ? find(rules.sets, *set_name) : nullptr;
  if (set_name && set == nullptr) return unknown("claim set", *set_name, rules.sets);
  std::vector<Claims::Claim> claims;
  if (json) {
    auto read = read_all(rules, *json);
    if (!read) return read.error();
    claims = std::move(*read);
  }
  if (set != nullptr && !set->every.empty()) {
    if (!claims.empty()) return refuse("the claim set " + quoted(set->name) + " has its claims already; leave the others out");
    return made(rules, wildcards(rules, *set));
  }
  if (set != nullptr) {
    if (auto error = check_set(*set, claims)) return error;
  }
  if (claims.empty()) return refuse("the claims are empty; name at least one");
  if (auto error = check_exclusions(rules, claims)) return error;
  return made(rules, std::move(claims));
}

}  // namespace fleetauth::provider
