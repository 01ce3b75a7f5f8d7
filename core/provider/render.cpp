#include "core/provider/render.h"

#include "core/base/base64.h"

namespace fleetauth::provider {
namespace {

using Kind = Template::Part::Kind;

// An upper bound of the size, or none when a parameter is missing.
std::optional<std::size_t> bound(const Template &value, const ClientConfig &config, std::string_view token) {
  std::size_t size = 0;
  for (const Template::Part &part : value.parts) {
    switch (part.kind) {
      case Kind::Literal:
        size += part.text.size();
        break;
      case Kind::Token:
        size += token.size();
        break;
      case Kind::Parameter: {
        const ParameterValue *given = config.value(part.text);
        if (given == nullptr) return {};
        size += given->text.size();
        break;
      }
      case Kind::Basic: {
        std::size_t pair = 1;
        for (const Template &operand : part.operands) {
          const auto operand_size = bound(operand, config, token);
          if (!operand_size) return {};
          pair += *operand_size;
        }
        size += (pair + 2) / 3 * 4;
        break;
      }
    }
  }
  return size;
}

void append(const Template &value, const ClientConfig &config, std::string_view token, SecretBytes &out);

void append_basic(const Template::Part &part, const ClientConfig &config, SecretBytes &out) {
  SecretBytes pair;
  (void)render(part.operands[0], config, {}, pair);
  SecretBytes password;
  (void)render(part.operands[1], config, {}, password);
  pair.reserve(pair.size() + 1 + password.size());
  pair.append(":");
  pair.append(password.view());
  base64::append(out, pair.view());
}

void append(const Template &value, const ClientConfig &config, std::string_view token, SecretBytes &out) {
  for (const Template::Part &part : value.parts) {
    switch (part.kind) {
      case Kind::Literal:
        out.append(part.text);
        break;
      case Kind::Token:
        out.append(token);
        break;
      case Kind::Parameter:
        out.append(config.value(part.text)->text.view());
        break;
      case Kind::Basic:
        append_basic(part, config, out);
        break;
    }
  }
}

}  // namespace

bool render(const Template &value, const ClientConfig &config, std::string_view token, SecretBytes &out) {
  const auto size = bound(value, config, token);
  if (!size) return false;
  out.reserve(out.size() + *size);
  append(value, config, token, out);
  return true;
}

}  // namespace fleetauth::provider
