#include "core/flow/messages.h"

#include <algorithm>

namespace fleetauth::flow {
std::string step_prefix(const provider::ClientConfig &config, const provider::Step &step) {
  const provider::Descriptor &descriptor = *config.descriptor;
  return descriptor.name + ": step \"" + step.name + "\" at " + std::string(descriptor.origin(step.origin)->authority()) + " ";
}

Error step_error(const provider::ClientConfig &config, const provider::Step &step, Status status, const std::string &what) {
  Error error;
  error.status = status;
  error.provider = config.descriptor->name;
  error.message = step_prefix(config, step) + what;
  return error;
}

std::string parameter_list(const provider::Descriptor &descriptor, const provider::Step &step) {
  const std::vector<std::string> used = step.parameters();
  std::vector<std::string_view> names;  // in the order of the descriptor, each once
  for (const provider::Parameter &parameter : descriptor.parameters) {
    if (std::find(used.begin(), used.end(), parameter.name) != used.end()) names.push_back(parameter.name);
  }
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return out.empty() ? "the descriptor" : out;
}

bool repeats_a_secret(const provider::ClientConfig &config, std::string_view text) {
  return std::any_of(config.descriptor->parameters.begin(), config.descriptor->parameters.end(), [&](const provider::Parameter &parameter) {
    const provider::ParameterValue *value = parameter.secret ? config.value(parameter.name) : nullptr;
    return value != nullptr && !value->text.empty() && text.find(value->text.view()) != std::string_view::npos;
  });
}

}  // namespace fleetauth::flow
