#include "capi/gen/bodies.h"
#include "capi/src/handles.h"

fleetauth_provider::fleetauth_provider(std::shared_ptr<const fleetauth::provider::Descriptor> descriptor)
    : body(std::move(descriptor)), description(fleetauth::json::to_text(body->source)) {}

namespace fleetauth::capi {

ErrorPtr provider_builtin(std::string_view name, fleetauth_provider *&out) {
  auto descriptor = provider::builtin(name);
  if (!descriptor) return descriptor.error();
  out = new fleetauth_provider(std::move(*descriptor));
  return nullptr;
}

ErrorPtr provider_from_json(std::string_view json, std::string_view source, fleetauth_provider *&out) {
  auto descriptor = provider::parse_descriptor(json, source);
  if (!descriptor) return descriptor.error();
  out = new fleetauth_provider(std::make_shared<const provider::Descriptor>(std::move(*descriptor)));
  return nullptr;
}

Borrowed provider_builtin_name(std::int32_t index) {
  const auto &builtins = provider::builtins();
  if (index < 0 || static_cast<std::size_t>(index) >= builtins.size()) return {};
  const std::string_view name = builtins[static_cast<std::size_t>(index)].name;
  return {name.data(), name.size()};
}

Borrowed provider_name(fleetauth_provider &provider) { return {provider.body->name.c_str(), provider.body->name.size()}; }

Borrowed provider_description(fleetauth_provider &provider) { return {provider.description.c_str(), provider.description.size()}; }

}  // namespace fleetauth::capi
