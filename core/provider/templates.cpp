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

bool Template::uses(Input input) const {
  return std::any_of(parts.begin(), parts.end(), [input](const Part &part) {
    return (part.kind == Part::Kind::Input && part.input == input) ||
           std::any_of(part.operands.begin(), part.operands.end(), [input](const Template &operand) { return operand.uses(input); });
  });
}

std::vector<std::string> Template::parameters() const {
  std::vector<std::string> out;
  add_parameters(*this, out);
  return out;
}

std::vector<std::string> Template::claims() const {
  std::vector<std::string> out;
  for (const Part &part : parts) {
    if (part.kind == Part::Kind::Input && part.input == Input::Claim) out.push_back(part.text);
  }
  return out;
}

std::optional<JsonLeaf> json_leaf(const json::Value &value) {
  if (value.type != json::Type::Object || value.members.size() != 1) return {};
  const auto &[name, member] = value.members.front();
  if (name == "$param") return JsonLeaf{std::nullopt, member.text};
  for (std::size_t i = 0; i < kInputWords.size(); ++i) {
    if (name == kInputWords[i].word) return JsonLeaf{static_cast<Input>(i), member.text};
  }
  return {};
}

namespace parse {
namespace {

using Part = Template::Part;

constexpr std::string_view kDollar = "text beginning with \"$\" is kept for the language; a parameter is written {\"$param\": \"name\"}";

Part literal(const lint::Place &place, const TemplateRules &rules) {
  Part out;
  out.text = place.text(1024);
  if (out.text.substr(0, 1) == "$") place.complain(kDollar);
  if (rules.header) {
    if (const auto complaint = syntax::check_header_literal(out.text)) place.complain(*complaint);
  }
  return out;
}

Part parameter(const lint::Place &place, const Descriptor &descriptor) {
  Part out;
  out.kind = Part::Kind::Parameter;
  out.text = reference(place, "parameter", names(descriptor.parameters));
  return out;
}

/// The name that an input carries, or `true`.
std::string input_name(const lint::Place &place, Input input, const Descriptor &descriptor) {
  if (input == Input::Claim) {
    std::string name = reference(place, "claim", names(descriptor.claims.names));
    const bool list = std::any_of(descriptor.claims.names.begin(), descriptor.claims.names.end(),
                                  [&](const ClaimRule &rule) { return rule.name == name && rule.list; });
    if (list) place.complain("must be a claim of one id");
    return name;
  }
  if (!word_of(input).named) {
    if (!place.boolean()) place.complain("must be true");
    return {};
  }
  std::string name = place.text();
  check_name(name, place);
  return name;
}

// An optional parameter in a Basic pair or beside the token would make the header vanish, and the request go out without it.
void check_always_given(const Template &checked, const TemplateRules &rules, const lint::Place &place) {
  if (rules.needs == nullptr) return;
  for (const std::string &name : checked.parameters()) {
    const Parameter *parameter = rules.descriptor->parameter(name);
    const bool needed = std::find(rules.needs->begin(), rules.needs->end(), name) != rules.needs->end();
    if (parameter != nullptr && !parameter->required && !parameter->default_value && !needed) {
      place.complain("parameter \"" + name + "\" is used here and must be required, have a default, or be one that the step \"needs\"");
    }
  }
}

Part basic(const lint::Place &place, const TemplateRules &rules) {
  Part out;
  out.kind = Part::Kind::Basic;
  const auto operands = place.items(2);
  if (operands.size() != 2) {
    place.complain("must be [user name, password]");
    return out;
  }
  for (const lint::Place &operand : operands) {
    out.operands.push_back(parse_template(operand, {.descriptor = rules.descriptor}));
    check_always_given(out.operands.back(), rules, operand);
  }
  return out;
}

Part special(const lint::Place &place, const TemplateRules &rules) {
  std::vector<std::string_view> known{"$param"};
  for (const Input input : rules.inputs) known.push_back(word_of(input).word);
  if (rules.basic) known.insert(known.end(), {"$basic", "$basic_form"});
  if (rules.path) known.emplace_back("$segments");
  const lint::Fields fields(place, known);
  if (place.value().members.size() != 1) {
    place.complain("must have exactly one member: " + lint::alternatives(known));
    return {};
  }
  if (fields.has("$param")) return parameter(fields.at("$param"), *rules.descriptor);
  if (rules.path && fields.has("$segments")) {
    Part out = parameter(fields.at("$segments"), *rules.descriptor);
    out.segments = true;
    return out;
  }
  if (rules.basic && fields.has("$basic")) return basic(fields.at("$basic"), rules);
  if (rules.basic && fields.has("$basic_form")) {
    Part out = basic(fields.at("$basic_form"), rules);
    out.form_encoded = true;
    return out;
  }
  for (const Input input : rules.inputs) {
    if (!fields.has(word_of(input).word)) continue;
    Part out;
    out.kind = Part::Kind::Input;
    out.input = input;
    out.text = input_name(fields.at(word_of(input).word), input, *rules.descriptor);
    return out;
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
    if (out.back().value.uses(Input::Token)) check_always_given(out.back().value, rules, member);
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

void check_json_body(const lint::Place &place, const TemplateRules &rules) {
  const json::Value &value = place.value();
  if (value.type == json::Type::String && value.text.substr(0, 1) == "$") place.complain(kDollar);
  for (std::size_t i = 0; i < value.items.size(); ++i) check_json_body(place.item(i), rules);
  const auto leaf = json_leaf(value);
  for (const auto &[name, member] : value.members) {
    const lint::Place at = place.member(name, member);
    if (leaf && !leaf->input) {
      (void)reference(at, "parameter", names(rules.descriptor->parameters));
    } else if (leaf) {
      (void)input_name(at, *leaf->input, *rules.descriptor);
    } else if (name.substr(0, 1) == "$") {
      at.complain("in a JSON body only {\"$param\": \"name\"} and its like may begin with \"$\", as an object's one member");
    } else {
      check_json_body(at, rules);
    }
  }
}

}  // namespace parse
}  // namespace fleetauth::provider
