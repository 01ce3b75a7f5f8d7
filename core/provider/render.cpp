#include "core/provider/render.h"

#include "core/base/base64.h"
#include "core/base/percent.h"

namespace fleetauth::provider {
namespace {

using Kind = Template::Part::Kind;

// An upper bound of the size, or none when something is missing.
std::optional<std::size_t> bound(const Template &value, const ClientConfig &config, const Inputs &inputs) {
  std::size_t size = 0;
  for (const Template::Part &part : value.parts) {
    switch (part.kind) {
      case Kind::Literal:
        size += part.text.size();
        break;
      case Kind::Input: {
        const auto input = inputs.value(part.input, part.text);
        if (!input) return {};
        size += input->size();
        break;
      }
      case Kind::Parameter: {
        const ParameterValue *given = config.value(part.text);
        if (given == nullptr) return {};
        size += given->text.size();
        break;
      }
      case Kind::Basic: {
        std::size_t pair = 1;
        for (const Template &operand : part.operands) {
          const auto operand_size = bound(operand, config, inputs);
          if (!operand_size) return {};
          pair += *operand_size * (part.form_encoded ? 3 : 1);
        }
        size += (pair + 2) / 3 * 4;
        break;
      }
    }
  }
  return size;
}

void append(const Template &value, const ClientConfig &config, const Inputs &inputs, SecretBytes &out);

SecretBytes half_of_pair(const Template::Part &part, std::size_t index, const ClientConfig &config) {
  SecretBytes plain;
  (void)render(part.operands[index], config, {}, plain);
  if (!part.form_encoded) return plain;
  SecretBytes encoded;
  append_percent(encoded, plain.view());
  return encoded;
}

void append_basic(const Template::Part &part, const ClientConfig &config, SecretBytes &out) {
  SecretBytes pair = half_of_pair(part, 0, config);
  const SecretBytes password = half_of_pair(part, 1, config);
  pair.reserve(pair.size() + 1 + password.size());
  pair.append(":");
  pair.append(password.view());
  base64::append(out, pair.view());
}

void append(const Template &value, const ClientConfig &config, const Inputs &inputs, SecretBytes &out) {
  for (const Template::Part &part : value.parts) {
    switch (part.kind) {
      case Kind::Literal:
        out.append(part.text);
        break;
      case Kind::Input:
        out.append(*inputs.value(part.input, part.text));
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

bool render(const Template &value, const ClientConfig &config, const Inputs &inputs, SecretBytes &out) {
  const auto size = bound(value, config, inputs);
  if (!size) return false;
  out.reserve(out.size() + *size);
  append(value, config, inputs, out);
  return true;
}

}  // namespace fleetauth::provider
