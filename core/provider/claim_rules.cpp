#include <algorithm>

#include "core/provider/parse.h"

namespace fleetauth::provider::parse {
namespace {

constexpr std::size_t kMaxNames = 32;

void ids(const lint::Place &place, ClaimRules &out) {
  constexpr std::int64_t kLongest = 4096;
  const lint::Fields fields(place, {"max_characters", "without", "wildcard"});
  if (fields.has("max_characters")) out.max_characters = static_cast<std::size_t>(fields.at("max_characters").integer(1, kLongest));
  if (fields.has("without")) {
    out.without = fields.at("without").text();
    // An id is searched for them byte by byte.
    const bool ascii = std::all_of(out.without.begin(), out.without.end(), [](char c) { return c >= ' ' && c < 0x7F; });
    if (!ascii) fields.at("without").complain("must hold printable ASCII characters only");
  }
  if (fields.has("wildcard")) out.wildcard = fields.at("wildcard").boolean();
}

ClaimRule rule(const std::string &name, const lint::Place &place, const std::vector<std::string_view> &known) {
  ClaimRule out;
  out.name = name;
  const lint::Fields fields(place, {"list", "excludes", "doc"});
  if (fields.has("list")) out.list = fields.at("list").boolean();
  if (fields.has("excludes")) out.excludes = references(fields.at("excludes"), "claim", known, kMaxNames);
  if (std::find(out.excludes.begin(), out.excludes.end(), name) != out.excludes.end())
    fields.at("excludes").complain("a claim cannot exclude itself");
  if (fields.require("doc")) out.doc = fields.at("doc").text(4096);
  return out;
}

ClaimSet set(const std::string &name, const lint::Place &place, const ClaimRules &rules) {
  ClaimSet out;
  out.name = name;
  const lint::Fields fields(place, {"every", "required", "one_of", "optional", "doc"});
  const auto known = names(rules.names);
  const auto list = [&](std::string_view field, std::vector<std::string> &into) {
    if (fields.has(field)) into = references(fields.at(field), "claim", known, kMaxNames);
  };
  list("every", out.every);
  list("required", out.required);
  list("one_of", out.one_of);
  list("optional", out.optional);
  if (fields.require("doc")) out.doc = fields.at("doc").text(4096);
  const bool by_request = fields.has("required") || fields.has("one_of");
  if (fields.has("every") == by_request) place.complain("needs either \"every\", or \"required\" and \"one_of\" or one of the two");
  if (fields.has("every") && fields.has("optional")) place.complain("has wildcards for \"every\" claim, so that none can be \"optional\"");
  if (fields.has("every") && !rules.wildcard) fields.at("every").complain("needs \"wildcard\": true in \"ids\"");
  return out;
}

}  // namespace

void claims(const lint::Place &place, Descriptor &out) {
  const lint::Fields fields(place, {"ids", "names", "sets"});
  if (fields.has("ids")) ids(fields.at("ids"), out.claims);
  if (!fields.require("names")) return;
  const auto members = fields.at("names").members(kMaxNames);
  std::vector<std::string_view> known;
  known.reserve(members.size());
  for (const auto &[name, member] : members) known.push_back(name);
  for (const auto &[name, member] : members) {
    check_name(name, member);
    out.claims.names.push_back(rule(name, member, known));
  }
  if (members.empty()) fields.at("names").complain("must name at least one claim");
  if (!fields.has("sets")) return;
  for (const auto &[name, member] : fields.at("sets").members(64)) {
    check_name(name, member);
    out.claims.sets.push_back(set(name, member, out.claims));
  }
}

}  // namespace fleetauth::provider::parse
