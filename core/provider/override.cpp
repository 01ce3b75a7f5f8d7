#include <algorithm>

#include "core/provider/client_config.h"
#include "core/provider/errors.h"
#include "core/provider/lint.h"
#include "core/provider/parse.h"
#include "core/provider/syntax.h"

namespace fleetauth::provider {
namespace {

ErrorPtr config_error(const Descriptor &descriptor, const std::string &what) { return refusal(descriptor, Status::Config, what); }

json::Value *member(json::Value &object, std::string_view name) {
  for (auto &[key, value] : object.members) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<Descriptor> patched(const Descriptor &descriptor, std::string_view patch) {
  const std::string source = descriptor.name + " with descriptor_patch";
  auto tree = json::parse_tree(patch, "descriptor_patch", Status::Config);
  if (!tree) return tree.error();
  if (tree->type != json::Type::Object) return config_error(descriptor, "descriptor_patch must be a JSON object (RFC 7396)");
  auto parsed = parse_descriptor(json::merge_patch(descriptor.source, *tree), source);
  if (!parsed) return fail(Status::Config, parsed.error()->message);
  return parsed;
}

// The option's name, as the user wrote it.
std::string option_name(const BaseUrl &base) { return base.origin.empty() ? "base_url" : base.origin + "_base_url"; }

ErrorPtr replace_origin(Descriptor &descriptor, const BaseUrl &base) {
  const std::string option = "option \"" + option_name(base) + "\"";
  if (base.origin.empty() && descriptor.origins.size() != 1) {
    std::vector<std::string> options;
    for (const Origin &origin : descriptor.origins) options.push_back(origin.name + "_base_url");
    return config_error(descriptor, option + " is ambiguous, the provider has several origins; use " +
                                        lint::alternatives({options.begin(), options.end()}));
  }
  const auto found = std::find_if(descriptor.origins.begin(), descriptor.origins.end(),
                                  [&](const Origin &origin) { return base.origin.empty() || origin.name == base.origin; });
  if (found == descriptor.origins.end()) {
    return config_error(descriptor,
                        option + ": there is no origin " + lint::quoted_with_hint(base.origin, parse::names(descriptor.origins)));
  }
  std::string url = base.url;
  if (!url.empty() && url.back() == '/') url.pop_back();
  if (const auto complaint = syntax::check_base_url(url, true)) return config_error(descriptor, option + " " + *complaint);

  // The tree too, for it identifies what the client is configured with.
  if (json::Value *origins = member(descriptor.source, "origins")) {
    if (json::Value *value = member(*origins, found->name)) {
      *value = {};
      value->type = json::Type::String;
      value->text = url;
    }
  }
  found->base_url = std::move(url);
  return nullptr;
}

}  // namespace

Result<std::shared_ptr<const Descriptor>> override_descriptor(const std::shared_ptr<const Descriptor> &descriptor,
                                                              std::optional<std::string_view> patch,
                                                              const std::vector<BaseUrl> &base_urls) {
  if (!patch && base_urls.empty()) return descriptor;
  Descriptor changed = *descriptor;
  if (patch) {
    auto result = patched(*descriptor, *patch);
    if (!result) return result.error();
    changed = std::move(*result);
  }
  for (const BaseUrl &base : base_urls) {
    if (auto error = replace_origin(changed, base)) return error;
  }
  return std::make_shared<const Descriptor>(std::move(changed));
}

}  // namespace fleetauth::provider
