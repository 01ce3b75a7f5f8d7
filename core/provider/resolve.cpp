#include <algorithm>

#include "core/provider/client_config.h"
#include "core/provider/errors.h"
#include "core/provider/lint.h"
#include "core/provider/parse.h"

namespace fleetauth::provider {
namespace {

// How well a path below a prefix fits: segment by segment, 2 for the same text and 1 for a star. Compared from the left after the count.
class Fit {
 public:
  static std::optional<Fit> of(std::string_view pattern, std::string_view path) {
    Fit fit;
    while (next(pattern)) {
      if (!next(path)) return {};
      const std::string_view wanted = take(pattern);
      const std::string_view found = take(path);
      const bool star = wanted == "*" && !found.empty();
      if (!star && wanted != found) return {};
      fit.segments_.push_back(star ? 1 : 2);
    }
    return fit;
  }

  [[nodiscard]] bool better_than(const Fit &other) const {
    if (segments_.size() != other.segments_.size()) return segments_.size() > other.segments_.size();
    return segments_ > other.segments_;
  }

 private:
  // Whether another segment follows; a trailing slash of the pattern does not count as one.
  static bool next(std::string_view rest) { return rest.size() > 1 || (rest.size() == 1 && rest != "/"); }
  static std::string_view take(std::string_view &rest) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    return segment;
  }

  std::vector<int> segments_;
};

bool is_below(std::string_view path, std::string_view prefix) {
  return path.substr(0, prefix.size()) == prefix && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool belongs(const Origin &origin, const Target &target) {
  return origin.authority() == target.origin && is_below(target.path, origin.prefix());
}

bool allows(const Api &api, std::string_view method) {
  return api.methods.empty() || std::find(api.methods.begin(), api.methods.end(), method) != api.methods.end();
}

bool is_foreign(const Descriptor &descriptor, const Target &target) {
  return std::none_of(descriptor.apis.begin(), descriptor.apis.end(),
                      [&](const Api &api) { return belongs(*descriptor.origin(api.origin), target); });
}

ErrorPtr foreign(const Descriptor &descriptor, const Target &target) {
  std::string known;
  for (const Api &api : descriptor.apis) {
    const std::string &url = descriptor.origin(api.origin)->base_url;
    if (known.find(url + ",") == std::string::npos) known += url + ", ";
  }
  known.resize(known.size() - 2);
  return refusal(descriptor, Status::ForeignOrigin,
                 "the URL at " + std::string(target.origin) + " is not the provider's (" + known +
                     "), so its credentials are not given out for it; correct the URL or set base_url");
}

Result<const Api *> by_name(const Descriptor &descriptor, std::string_view name, const std::optional<Target> &target) {
  const Api *api = descriptor.api(name);
  if (api == nullptr) {
    const auto known = parse::names(descriptor.apis);
    return refusal(descriptor, Status::Config,
                   "there is no API group " + lint::quoted_with_hint(name, known) + "; there are " + lint::alternatives(known));
  }
  if (target && !belongs(*descriptor.origin(api->origin), *target)) return foreign(descriptor, *target);
  return api;
}

Result<const Api *> by_target(const Descriptor &descriptor, const Target &target, std::string_view method) {
  const Api *best = nullptr;
  Fit best_fit;
  for (const Api &api : descriptor.apis) {
    const Origin &origin = *descriptor.origin(api.origin);
    if (!belongs(origin, target) || !allows(api, method)) continue;
    const auto fit = Fit::of(api.path, target.path.substr(origin.prefix().size()));
    if (!fit) continue;
    const bool more_special = best != nullptr && !best_fit.better_than(*fit) && best->methods.empty() && !api.methods.empty();
    if (best == nullptr || fit->better_than(best_fit) || more_special) {
      best = &api;
      best_fit = *fit;
    }
  }
  if (best != nullptr) return best;
  if (is_foreign(descriptor, target)) return foreign(descriptor, target);
  return refusal(descriptor, Status::Config,
                 "no API group covers this method and path at " + std::string(target.origin) +
                     "; name the group with the request option \"api\" (" + lint::alternatives(parse::names(descriptor.apis)) +
                     ") or correct the URL");
}

bool offers(const Api &api, std::string_view scheme) {
  return std::find(api.schemes.begin(), api.schemes.end(), scheme) != api.schemes.end();
}

// Without a URL a caller wants a token to use himself.
const std::string *scheme_with_token(const ClientConfig &config) {
  const Descriptor &descriptor = *config.descriptor;
  const std::string *first = nullptr;
  for (const Api &api : descriptor.apis) {
    for (const std::string &name : api.schemes) {
      const Scheme &scheme = *descriptor.scheme(name);
      if (!config.usable(scheme)) continue;
      if (has_token(descriptor.credential(scheme.credential)->kind)) return &name;
      if (first == nullptr) first = &name;
    }
  }
  return first;
}

const std::string *usable_scheme(const ClientConfig &config, const Api &api) {
  const auto found = std::find_if(api.schemes.begin(), api.schemes.end(),
                                  [&](const std::string &name) { return config.usable(*config.descriptor->scheme(name)); });
  return found == api.schemes.end() ? nullptr : &*found;
}

ErrorPtr not_configured(const Descriptor &descriptor, const Api &api) {
  return refusal(descriptor, Status::Config,
                 "the API group \"" + api.name + "\" is authorised by the scheme " +
                     lint::alternatives({api.schemes.begin(), api.schemes.end()}) +
                     ", for which the client was not given all that is needed");
}

Authorisation with_scheme(const Descriptor &descriptor, const Api *api, std::string_view name) {
  const Scheme *scheme = descriptor.scheme(name);
  return {api, scheme, descriptor.credential(scheme->credential)};
}

}  // namespace

ErrorPtr check_scheme(const ClientConfig &config, std::string_view scheme_wanted) {
  const Descriptor &descriptor = *config.descriptor;
  std::vector<std::string_view> offered;
  for (const Api &api : descriptor.apis) {
    for (const std::string &name : api.schemes) {
      if (std::find(offered.begin(), offered.end(), name) == offered.end()) offered.push_back(name);
    }
  }
  if (std::find(offered.begin(), offered.end(), scheme_wanted) == offered.end()) {
    return refusal(
        descriptor, Status::Config,
        "no API group offers the scheme " + lint::quoted_with_hint(scheme_wanted, offered) + "; there are " + lint::alternatives(offered));
  }
  if (config.usable(*descriptor.scheme(scheme_wanted))) return nullptr;
  return refusal(descriptor, Status::Config, "the scheme \"" + std::string(scheme_wanted) + "\" needs more options than were given");
}

Result<Authorisation> resolve(const ClientConfig &config, std::optional<std::string_view> scheme_wanted,
                              std::optional<std::string_view> api_name, const std::optional<Target> &target, std::string_view method) {
  const Descriptor &descriptor = *config.descriptor;
  if (scheme_wanted) {
    if (auto error = check_scheme(config, *scheme_wanted)) return error;
  }
  if (!api_name && !target) return with_scheme(descriptor, nullptr, scheme_wanted ? *scheme_wanted : *scheme_with_token(config));

  const auto api = api_name ? by_name(descriptor, *api_name, target) : by_target(descriptor, *target, method);
  if (!api) return api.error();
  if (scheme_wanted && offers(**api, *scheme_wanted)) return with_scheme(descriptor, *api, *scheme_wanted);
  const std::string *scheme = usable_scheme(config, **api);
  if (scheme == nullptr) return not_configured(descriptor, **api);
  return with_scheme(descriptor, *api, *scheme);
}

}  // namespace fleetauth::provider
