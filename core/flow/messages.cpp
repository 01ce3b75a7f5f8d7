#include "core/flow/messages.h"

#include <algorithm>

#include "core/base/redact.h"
#include "core/base/text.h"

namespace fleetauth::flow {
namespace {

// So many characters in a row are no coincidence.
constexpr std::size_t kTelling = 8;

// Whether a word, as filter_code leaves it, holds a secret or a good part of it.
bool repeats(std::string_view word, std::string_view secret) {
  SecretBytes filtered;
  filtered.reserve(secret.size());
  for (const char &c : secret) filtered.append(redact::filter_code({&c, 1}));
  const std::string_view known = filtered.view();
  if (known.size() < kTelling) return !known.empty() && word.find(known) != std::string_view::npos;
  for (std::size_t at = 0; at + kTelling <= word.size(); ++at) {
    if (known.find(word.substr(at, kTelling)) != std::string_view::npos) return true;
  }
  return false;
}

// Words of errors are written for people, with separators; a run of letters and digits as of a key or of base64 is none, whichever secret
// it may be an encoding of.
bool looks_like_a_key(std::string_view word) {
  constexpr std::size_t kRun = 20;
  std::size_t run = 0;
  std::size_t digits = 0;
  for (const char c : word) {
    const bool separates = c == '_' || c == '-' || c == '.';
    run = separates ? 0 : run + 1;
    digits = separates ? 0 : digits + (text::is_digit(c) ? 1U : 0U);
    if (run >= kRun && digits > 1) return true;
  }
  return false;
}

bool repeats_a_secret(std::string_view word, const provider::ClientConfig &config, const provider::Inputs &inputs) {
  if (word.empty()) return false;
  if (looks_like_a_key(word)) return true;
  for (const std::string_view secret : {inputs.token, inputs.refresh_token, inputs.code}) {
    if (repeats(word, secret)) return true;
  }
  if (inputs.echoes != nullptr) {
    for (const provider::Echo &echo : *inputs.echoes) {
      if (repeats(word, echo.text.view())) return true;
    }
  }
  return std::any_of(config.descriptor->parameters.begin(), config.descriptor->parameters.end(), [&](const provider::Parameter &parameter) {
    const provider::ParameterValue *value = parameter.secret ? config.value(parameter.name) : nullptr;
    return value != nullptr && repeats(word, value->text.view());
  });
}

}  // namespace

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

ErrorPtr without_secrets(ErrorPtr error, const provider::ClientConfig &config, const provider::Inputs &inputs) {
  if (!repeats_a_secret(error->provider_code, config, inputs)) return error;
  Error silent = *error;
  silent.provider_code.clear();
  return fail(std::move(silent));
}

}  // namespace fleetauth::flow
