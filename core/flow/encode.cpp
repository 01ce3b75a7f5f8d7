#include "core/flow/encode.h"

#include "core/base/percent.h"
#include "core/provider/render.h"

namespace fleetauth::flow {
namespace {

using provider::ClientConfig;
using provider::ParameterType;
using provider::ParameterValue;

// ------------------------------------------------------------------ JSON

/// What the values of one body come from.
struct Values {
  const ClientConfig &config;
  const provider::Inputs &inputs;
};

/// A leaf's value and how it is written.
struct Leaf {
  std::string_view text;
  bool quoted = true;
};

std::optional<Leaf> value_of(const Values &values, const provider::JsonLeaf &leaf) {
  if (!leaf.input) {
    const ParameterValue *given = values.config.value(leaf.name);
    if (given == nullptr) return {};
    return Leaf{given->text.view(), given->type == ParameterType::Text};  // canonical integers and booleans are JSON as they are
  }
  const auto text = values.inputs.value(*leaf.input, leaf.name);
  if (!text) return {};
  const provider::Echo *echo = *leaf.input == provider::Input::Echo ? values.inputs.echo(leaf.name) : nullptr;
  return Leaf{*text, *leaf.input != provider::Input::Claims && (echo == nullptr || echo->type == json::Type::String)};
}

bool vanishes(const Values &values, const json::Value &value) {
  const auto leaf = provider::json_leaf(value);
  return leaf && !value_of(values, *leaf);
}

// At most what it takes when every byte of every text becomes \u00XX.
std::size_t bound(const Values &values, const json::Value &value) {
  constexpr std::size_t kEscaped = 6;
  constexpr std::size_t kScalar = 32;
  if (const auto leaf = provider::json_leaf(value)) {
    const auto given = value_of(values, *leaf);
    return given ? kEscaped * given->text.size() + 3 : 0;
  }
  std::size_t size = kScalar + kEscaped * value.text.size();
  for (const json::Value &item : value.items) size += bound(values, item) + 1;
  for (const auto &[name, member] : value.members) size += kEscaped * name.size() + 4 + bound(values, member);
  return size;
}

void append_json(SecretBytes &out, const Values &values, const json::Value &value);

void append_leaf(SecretBytes &out, const Leaf &leaf) {
  if (leaf.quoted) {
    json::append_string(out, leaf.text);
  } else {
    out.append(leaf.text);
  }
}

void append_object(SecretBytes &out, const Values &values, const json::Value &value) {
  std::string_view separator = "{";
  for (const auto &[name, member] : value.members) {
    if (vanishes(values, member)) continue;
    out.append(separator);
    separator = ",";
    json::append_string(out, name);
    out.append(":");
    append_json(out, values, member);
  }
  out.append(separator == "{" ? "{}" : "}");
}

void append_array(SecretBytes &out, const Values &values, const json::Value &value) {
  std::string_view separator = "[";
  for (const json::Value &item : value.items) {
    if (vanishes(values, item)) continue;
    out.append(separator);
    separator = ",";
    append_json(out, values, item);
  }
  out.append(separator == "[" ? "[]" : "]");
}

void append_json(SecretBytes &out, const Values &values, const json::Value &value) {
  if (const auto leaf = provider::json_leaf(value)) {
    append_leaf(out, *value_of(values, *leaf));
  } else if (value.type == json::Type::Object) {
    append_object(out, values, value);
  } else if (value.type == json::Type::Array) {
    append_array(out, values, value);
  } else {
    out.append(json::to_text(value));
  }
}

// ------------------------------------------------------------------ paths

/// Percent-encoded; with `several`, slashes part segments, and one at the beginning is no matter. False for one that is empty or only dots.
bool append_segments(SecretBytes &out, std::string_view text, bool several) {
  if (several && text.starts_with('/')) text.remove_prefix(1);
  for (;;) {
    const std::string_view segment = several ? text.substr(0, text.find('/')) : text;
    if (segment.find_first_not_of('.') == std::string_view::npos) return false;
    append_percent(out, segment);
    if (segment.size() == text.size()) return true;
    out.append("/");
    text.remove_prefix(segment.size() + 1);
  }
}

}  // namespace

SecretBytes encode_pairs(const ClientConfig &config, const std::vector<provider::NamedTemplate> &members, const provider::Inputs &inputs) {
  SecretBytes out;
  for (const provider::NamedTemplate &member : members) {
    SecretBytes value;
    if (!provider::render(member.value, config, inputs, value)) continue;
    out.reserve(out.size() + 3 * (member.name.size() + value.size()) + 2);
    if (!out.empty()) out.append("&");
    append_percent(out, member.name);
    out.append("=");
    append_percent(out, value.view());
  }
  return out;
}

bool encode_path(const ClientConfig &config, const provider::Template &path, const provider::Inputs &inputs, SecretBytes &out) {
  for (const provider::Template::Part &part : path.parts) {
    if (part.kind == provider::Template::Part::Kind::Literal) {
      out.append(part.text);
      continue;
    }
    SecretBytes value;
    if (!provider::render({{part}}, config, inputs, value)) return false;
    if (!append_segments(out, value.view(), part.segments)) return false;
  }
  return true;
}

SecretBytes encode_json(const ClientConfig &config, const json::Value &body, const provider::Inputs &inputs) {
  const Values values{config, inputs};
  SecretBytes out;
  out.reserve(bound(values, body));
  append_json(out, values, body);
  return out;
}

}  // namespace fleetauth::flow
