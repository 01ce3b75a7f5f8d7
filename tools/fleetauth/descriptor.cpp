#include "tools/fleetauth/descriptor.h"

#include <algorithm>

#include "tools/fleetauth/client.h"
#include "tools/fleetauth/console.h"

namespace fleetauth::command {

namespace {

/// Those of the API groups, each at its first place.
std::vector<std::string> schemes_in_order(const Descriptor &descriptor) {
  std::vector<std::string> names;
  for (const auto &[api, about] : descriptor["apis"].items()) {
    for (const auto &scheme : about["schemes"]) {
      const std::string name = scheme.get<std::string>();
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

bool is_usable(const Runtime &runtime, const Provider &provider, const Values &options, const std::string &scheme) {
  const Options with_scheme = client_options(provider, options);
  set_option(with_scheme, "scheme", scheme);
  try {
    (void)new_client(runtime, provider, with_scheme);
    return true;
  } catch (const LibraryError &error) {
    return false;
  }
}

}  // namespace

Descriptor descriptor_of(const Provider &provider, const Values &options) {
  Descriptor descriptor = Descriptor::parse(description(provider));
  if (has_value(options, "descriptor_patch")) {
    const Descriptor patch = Descriptor::parse(options.at("descriptor_patch"), nullptr, false);
    if (patch.is_discarded()) throw SetupError("descriptor_patch is not JSON");
    descriptor.merge_patch(patch);
  }
  if (!descriptor.contains("parameters")) descriptor["parameters"] = Descriptor::object();
  return descriptor;
}

std::string default_url(const Descriptor &origin) { return origin.is_string() ? origin.get<std::string>() : origin.value("url", ""); }

std::vector<std::pair<std::string, std::string>> base_urls(const Descriptor &descriptor, const Values &options) {
  std::vector<std::pair<std::string, std::string>> urls;
  const Descriptor &origins = descriptor["origins"];
  for (const auto &[name, origin] : origins.items()) {
    std::string url = default_url(origin);
    if (origins.size() == 1 && has_value(options, "base_url")) url = options.at("base_url");
    if (has_value(options, name + "_base_url")) url = options.at(name + "_base_url");
    urls.emplace_back(name, std::move(url));
  }
  return urls;
}

std::vector<std::string> usable_schemes(const Provider &provider, const Descriptor &descriptor, const Values &options) {
  const Runtime runtime = shared_runtime();
  std::vector<std::string> usable;
  for (std::string &name : schemes_in_order(descriptor)) {
    if (is_usable(runtime, provider, options, name)) usable.push_back(std::move(name));
  }
  return usable;
}

const Descriptor &credential_of(const Descriptor &descriptor, const std::string &scheme) {
  return descriptor["credentials"][descriptor["schemes"][scheme]["credential"].get<std::string>()];
}

std::vector<std::string> steps_in(const Descriptor &credential, const char *member) {
  const auto found = credential.find(member);
  if (found == credential.end()) return {};
  return found->is_string() ? std::vector{found->get<std::string>()} : found->get<std::vector<std::string>>();
}

bool is_possible(const Descriptor &step, const Values &options) {
  const std::vector<std::string> needs = step.value("needs", std::vector<std::string>());
  return std::all_of(needs.begin(), needs.end(), [&](const std::string &name) { return has_value(options, name); });
}

bool has_value(const Values &options, const std::string &name) {
  const auto found = options.find(name);
  return found != options.end() && !found->second.empty();
}

}  // namespace fleetauth::command
