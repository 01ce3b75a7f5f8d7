#include "tools/fleetauth/abi.h"

#include "tools/fleetauth/input.h"

namespace fleetauth::command {

namespace {

std::string message_of(fleetauth_status code, const ErrorHandle &error) {
  return error == nullptr ? fleetauth_status_name(code, nullptr) : fleetauth_error_message(error.get(), nullptr);
}

bool is_path(const std::string &name) { return name.find('/') != std::string::npos || name.ends_with(".json"); }

}  // namespace

LibraryError::LibraryError(fleetauth_status code, const ErrorHandle &error)
    : std::runtime_error(message_of(code, error)),
      status(code),
      provider(fleetauth_error_provider(error.get(), nullptr)),
      provider_code(fleetauth_error_provider_code(error.get(), nullptr)),
      http_status(fleetauth_error_http_status(error.get())),
      retryable(fleetauth_error_retryable(error.get()) != 0),
      in_doubt(fleetauth_error_in_doubt(error.get()) != 0),
      retry_after_ms(error == nullptr ? -1 : fleetauth_error_retry_after_ms(error.get())) {
  fleetauth_challenge *asked = nullptr;
  if (fleetauth_error_challenge(error.get(), &asked, nullptr) == FLEETAUTH_OK) challenge = std::make_shared<const Challenge>(asked);
}

Runtime shared_runtime() {
  fleetauth_runtime *runtime = nullptr;
  check(fleetauth_runtime_shared, &runtime);
  return Runtime(runtime);
}

Provider open_provider(const std::string &name_or_path) {
  if (is_path(name_or_path)) return parse_provider(read_file(name_or_path), name_or_path);
  fleetauth_provider *provider = nullptr;
  check(fleetauth_provider_builtin, name_or_path.data(), name_or_path.size(), &provider);
  return Provider(provider);
}

Provider parse_provider(std::string_view text, std::string_view source) {
  fleetauth_provider *provider = nullptr;
  check(fleetauth_provider_from_json, text.data(), text.size(), source.data(), source.size(), &provider);
  return Provider(provider);
}

Options new_options() {
  fleetauth_options *options = nullptr;
  check(fleetauth_options_new, &options);
  return Options(options);
}

void set_option(const Options &options, std::string_view name, std::string_view value) {
  check(fleetauth_options_set_text, options.get(), name.data(), name.size(), value.data(), value.size());
}

std::string description(const Provider &provider) {
  std::size_t size = 0;
  const char *text = fleetauth_provider_description(provider.get(), &size);
  return {text, size};
}

std::vector<std::string> builtin_providers() {
  std::vector<std::string> names;
  while (const char *name = fleetauth_provider_builtin_name(static_cast<std::int32_t>(names.size()), nullptr)) {
    names.emplace_back(name);
  }
  return names;
}

}  // namespace fleetauth::command
