#include <algorithm>

#include "core/base/text.h"
#include "core/provider/parse.h"
#include "core/provider/syntax.h"

namespace fleetauth::provider {
namespace {

void add_parameters(const Template &from, std::vector<std::string> &out) {
  for (const Template::Part &part : from.parts) {
    if (part.kind == Template::Part::Kind::Parameter && std::find(out.begin(), out.end(), part.text) == out.end()) out.push_back(part.text);
    for (const Template &operand : part.operands) add_parameters(operand, out);
  }
}

}  // namespace

bool Template::uses_token() const {
  return std::any_of(parts.begin(), parts.end(), [](const Part &part) {
    return part.kind == Part::Kind::Token ||
           std::any_of(part.operands.begin(), part.operands.end(), [](const Template &operand) { return operand.uses_token(); });
  });
}

std::vector<std::string> Template::parameters() const {
  std::vector<std::string> out;
  add_parameters(*this, out);
  return out;
}

namespace parse {
namespace {

using Part = Template::Part;

constexpr std::string_view kDollar = "text beginning with \"$\" is kept for the language; a parameter is written {\"$param\": \"name\"}";

Part literal(const lint::Place &place, const TemplateRules &rules) {
  Part out{Part::Kind::Literal, place.text(1024), {}};
  if (out.text.substr(0, 1) == "$") place.complain(kDollar);
  if (rules.header) {
    if (const auto complaint = syntax::check_header_literal(out.text)) place.complain(*complaint);
  }
  return out;
}

Part parameter(const lint::Place &place, const Descriptor &descriptor) {
  return {Part::Kind::Parameter, reference(place, "parameter", names(descriptor.parameters)), {}};
}

// An optional parameter in a Basic pair or beside the token would make the header vanish, and the request go out without it.
void check_all_required(const Template &checked, const Descriptor &descriptor, const lint::Place &place) {
  for (const std::string &name : checked.parameters()) {
    const Parameter *parameter = descriptor.parameter(name);
    if (parameter != nullptr && !parameter->required && !parameter->default_value) {
      place.complain("parameter \"" + name + "\" is used here and must be required or have a default");
    }
  }
}

Part basic(const lint::Place &place, const TemplateRules &rules) {
  Part out{Part::Kind::Basic, {}, {}};
  const auto operands = place.items(2);
  if (operands.size() != 2) {
    place.complain("must be [user name, password]");
    return out;
  }
  for (const lint::Place &operand : operands) {
    out.operands.push_back(parse_template(operand, {.descriptor = rules.descriptor}));
    check_all_required(out.operands.back(), *rules.descriptor, operand);
  }
  return out;
}

Part special(const lint::Place &place, const TemplateRules &rules) {
  std::vector<std::string_view> known{"$param"};
  if (rules.token) known.push_back("$token");
  if (rules.basic) known.push_back("$basic");
  const lint::Fields fields(place, known);
  if (place.value().members.size() != 1) {
    place.complain("must have exactly one member: " + lint::alternatives(known));
    return {};
  }
  if (fields.has("$param")) return parameter(fields.at("$param"), *rules.descriptor);
  if (rules.basic && fields.has("$basic")) return basic(fields.at("$basic"), rules);
  if (rules.token && fields.has("$token")) {
    if (!fields.at("$token").boolean()) fields.at("$token").complain("must be true");
    return {Part::Kind::Token, {}, {}};
  }
  return {};
}

Part part(const lint::Place &place, const TemplateRules &rules) {
  if (place.value().type == json::Type::Object) return special(place, rules);
  return literal(place, rules);
}

void check_no_duplicates(const std::vector<NamedTemplate> &named, const lint::Place &place, bool ignore_case) {
  for (auto it = named.begin(); it != named.end(); ++it) {
    const bool twice = std::any_of(named.begin(), it, [&](const NamedTemplate &other) {
      return ignore_case ? text::equal_ignore_case(other.name, it->name) : other.name == it->name;
    });
    if (twice) place.complain("\"" + it->name + "\" occurs twice");
  }
}

}  // namespace

Template parse_template(const lint::Place &place, const TemplateRules &rules) {
  Template out;
  if (place.value().type == json::Type::Array) {
    for (const lint::Place &item : place.items(16)) out.parts.push_back(part(item, rules));
  } else {
    out.parts.push_back(part(place, rules));
  }
  return out;
}

std::vector<NamedTemplate> parse_headers(const lint::Place &place, const TemplateRules &rules) {
  std::vector<NamedTemplate> out;
  TemplateRules header_rules = rules;
  header_rules.header = true;
  for (const auto &[name, member] : place.members(32)) {
    if (const auto complaint = syntax::check_header_name(name)) member.complain(*complaint);
    out.push_back({name, parse_template(member, header_rules)});
    if (out.back().value.uses_token()) check_all_required(out.back().value, *rules.descriptor, member);
  }
  check_no_duplicates(out, place, true);
  return out;
}

std::vector<NamedTemplate> parse_members(const lint::Place &place, const TemplateRules &rules) {
  std::vector<NamedTemplate> out;
  for (const auto &[name, member] : place.members(32)) {
    if (name.empty() || name.front() == '$') member.complain(name.empty() ? "a name must not be empty" : kDollar);
    out.push_back({name, parse_template(member, rules)});
  }
  check_no_duplicates(out, place, false);
  return out;
}

void check_json_body(const lint::Place &place, const Descriptor &descriptor) {
  const json::Value &value = place.value();
  if (value.type == json::Type::String && value.text.substr(0, 1) == "$") place.complain(kDollar);
  for (std::size_t i = 0; i < value.items.size(); ++i) check_json_body(place.item(i), descriptor);
  for (const auto &[name, member] : value.members) {
    const lint::Place at = place.member(name, member);
    if (name == "$param" && value.members.size() == 1) {
      (void)reference(at, "parameter", names(descriptor.parameters));
    } else if (name.substr(0, 1) == "$") {
      at.complain("in a JSON body only {\"$param\": \"name\"} may begin with \"$\", as an object's one member");
    } else {
      check_json_body(at, descriptor);
    }
  }
}

}  // namespace parse
}  // namespace fleetauth::provider
