#include "tools/fleetauth/abi.h"

#include "tools/fleetauth/console.h"

namespace fleetauth::command {

namespace {

using Error = Handle<fleetauth_error, fleetauth_error_unref>;

std::string message_of(fleetauth_status status, const fleetauth_error *error) {
  if (error == nullptr) return fleetauth_status_name(status, nullptr);
  return fleetauth_error_message(const_cast<fleetauth_error *>(error), nullptr);
}

bool is_path(const std::string &name) { return name.find('/') != std::string::npos || name.ends_with(".json"); }

}  // namespace

LibraryError::LibraryError(fleetauth_status code, fleetauth_error *error)
    : std::runtime_error(message_of(code, error)), status(code) {
  const Error owner(error);
  if (error == nullptr) return;
  provider = fleetauth_error_provider(error, nullptr);
  provider_code = fleetauth_error_provider_code(error, nullptr);
  http_status = fleetauth_error_http_status(error);
  retryable = fleetauth_error_retryable(error) != 0;
  retry_after_ms = fleetauth_error_retry_after_ms(error);
}

Runtime shared_runtime() {
  fleetauth_runtime *runtime = nullptr;
  check(fleetauth_runtime_shared, &runtime);
  return Runtime(runtime);
}

Provider open_provider(const std::string &name_or_path) {
  fleetauth_provider *provider = nullptr;
  if (is_path(name_or_path)) {
    const std::string text = read_file(name_or_path);
    check(fleetauth_provider_from_json, text.data(), text.size(), name_or_path.data(), name_or_path.size(), &provider);
  } else {
    check(fleetauth_provider_builtin, name_or_path.data(), name_or_path.size(), &provider);
  }
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
