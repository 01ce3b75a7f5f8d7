#include <algorithm>

#include "core/provider/parameter_text.h"
#include "core/provider/parse.h"
#include "core/provider/syntax.h"

namespace fleetauth::provider::parse {
namespace {

std::optional<std::string> default_value(const lint::Place &place, ParameterType type) {
  switch (type) {
    case ParameterType::Text:
      return place.text(4096);
    case ParameterType::Integer:
      return std::to_string(place.integer(INT64_MIN, INT64_MAX));
    case ParameterType::Boolean:
      return place.boolean() ? "true" : "false";
  }
  return {};
}

Parameter parameter(const std::string &name, const lint::Place &place) {
  Parameter out;
  out.name = name;
  const lint::Fields fields(place, {"type", "required", "secret", "env", "doc", "default"});
  if (fields.require("type"))
    out.type = static_cast<ParameterType>(fields.at("type").choice({kParameterTypeWords.begin(), kParameterTypeWords.end()}));
  if (fields.has("required")) out.required = fields.at("required").boolean();
  if (fields.has("secret")) out.secret = fields.at("secret").boolean();
  if (fields.require("doc")) out.doc = fields.at("doc").text(4096);
  if (fields.has("env")) {
    out.env = fields.at("env").text(128);
    if (const auto complaint = syntax::check_env(out.env)) fields.at("env").complain(*complaint);
  }
  if (fields.has("default")) {
    out.default_value = default_value(fields.at("default"), out.type);
    if (out.required) fields.at("default").complain("a required parameter has no use for a default; remove one of the two");
    if (out.secret) fields.at("default").complain("a secret must not stand in a descriptor");
  }
  if (out.secret && out.type != ParameterType::Text) fields.at("secret").complain("a secret must be of type \"text\"");
  return out;
}

}  // namespace

void parameters(const lint::Place &place, Descriptor &out) {
  for (const auto &[name, member] : place.members(32)) {
    check_name(name, member);
    Parameter parsed = parameter(name, member);
    const bool env_taken = !parsed.env.empty() && std::any_of(out.parameters.begin(), out.parameters.end(),
                                                              [&](const Parameter &other) { return other.env == parsed.env; });
    if (env_taken) member.complain("the environment variable " + parsed.env + " belongs to another parameter already");
    out.parameters.push_back(std::move(parsed));
  }
}

}  // namespace fleetauth::provider::parse
