#include "core/flow/encode.h"

#include "core/base/text.h"
#include "core/provider/render.h"

namespace fleetauth::flow {
namespace {

using provider::ClientConfig;
using provider::ParameterType;
using provider::ParameterValue;

void append_percent(SecretBytes &out, std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : bytes) {
    const char small = text::lower(c);
    if (text::is_digit(c) || (small >= 'a' && small <= 'z') || c == '-' || c == '.' || c == '_' || c == '~') {
      out.append({&c, 1});
    } else {
      const auto byte = static_cast<unsigned char>(c);
      const char escape[] = {'%', kHex[byte >> 4U], kHex[byte & 15U]};
      out.append({escape, sizeof escape});
    }
  }
}

// ------------------------------------------------------------------ JSON

/// The parameter's name when a value is a {"$param": name} leaf.
const std::string *parameter_name(const json::Value &value) {
  if (value.type != json::Type::Object || value.members.size() != 1 || value.members.front().first != "$param") return nullptr;
  return &value.members.front().second.text;
}

bool vanishes(const ClientConfig &config, const json::Value &value) {
  const std::string *name = parameter_name(value);
  return name != nullptr && config.value(*name) == nullptr;
}

// At most what it takes when every byte of every text becomes \u00XX.
std::size_t bound(const ClientConfig &config, const json::Value &value) {
  constexpr std::size_t kEscaped = 6;
  constexpr std::size_t kScalar = 32;
  if (const std::string *name = parameter_name(value)) {
    const ParameterValue *given = config.value(*name);
    return given == nullptr ? 0 : kEscaped * given->text.size() + 3;
  }
  std::size_t size = kScalar + kEscaped * value.text.size();
  for (const json::Value &item : value.items) size += bound(config, item) + 1;
  for (const auto &[name, member] : value.members) size += kEscaped * name.size() + 4 + bound(config, member);
  return size;
}

void append_json(SecretBytes &out, const ClientConfig &config, const json::Value &value);

void append_parameter(SecretBytes &out, const ParameterValue &value) {
  if (value.type == ParameterType::Text) {
    json::append_string(out, value.text.view());
  } else {
    out.append(value.text.view());  // canonical integers and booleans are JSON as they are
  }
}

void append_object(SecretBytes &out, const ClientConfig &config, const json::Value &value) {
  std::string_view separator = "{";
  for (const auto &[name, member] : value.members) {
    if (vanishes(config, member)) continue;
    out.append(separator);
    separator = ",";
    json::append_string(out, name);
    out.append(":");
    append_json(out, config, member);
  }
  out.append(separator == "{" ? "{}" : "}");
}

void append_array(SecretBytes &out, const ClientConfig &config, const json::Value &value) {
  std::string_view separator = "[";
  for (const json::Value &item : value.items) {
    if (vanishes(config, item)) continue;
    out.append(separator);
    separator = ",";
    append_json(out, config, item);
  }
  out.append(separator == "[" ? "[]" : "]");
}

void append_json(SecretBytes &out, const ClientConfig &config, const json::Value &value) {
  if (const std::string *name = parameter_name(value)) {
    append_parameter(out, *config.value(*name));
  } else if (value.type == json::Type::Object) {
    append_object(out, config, value);
  } else if (value.type == json::Type::Array) {
    append_array(out, config, value);
  } else {
    out.append(json::to_text(value));
  }
}

}  // namespace

SecretBytes encode_pairs(const ClientConfig &config, const std::vector<provider::NamedTemplate> &members) {
  SecretBytes out;
  for (const provider::NamedTemplate &member : members) {
    SecretBytes value;
    if (!provider::render(member.value, config, {}, value)) continue;
    out.reserve(out.size() + 3 * (member.name.size() + value.size()) + 2);
    if (!out.empty()) out.append("&");
    append_percent(out, member.name);
    out.append("=");
    append_percent(out, value.view());
  }
  return out;
}

SecretBytes encode_json(const ClientConfig &config, const json::Value &body) {
  SecretBytes out;
  out.reserve(bound(config, body));
  append_json(out, config, body);
  return out;
}

}  // namespace fleetauth::flow
