#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/secret_bytes.h"
#include "core/provider/descriptor.h"
#include "core/provider/signer.h"

namespace fleetauth::provider {

/// The value of a parameter, typed by its declaration. Secrets live here and nowhere else.
struct ParameterValue {
  SecretBytes text;  ///< what is put into headers and forms; integers in decimal, booleans as true/false
  ParameterType type = ParameterType::Text;

  /// Of an integer parameter.
  [[nodiscard]] std::int64_t integer() const;
};

/// The provider's parameters as one client fills them in, with the descriptor it fills.
struct ClientConfig {
  std::shared_ptr<const Descriptor> descriptor;  ///< patches and base_url applied
  std::map<std::string, ParameterValue, std::less<>> values;
  std::map<std::string, Signer, std::less<>> signers;  ///< by credential; the keys' texts are not kept
  std::vector<bool> usable_schemes;                    ///< by their place in the descriptor: what they and their credentials need was given

  /// Null when the parameter is optional and was not given.
  [[nodiscard]] const ParameterValue *value(std::string_view parameter) const;
  /// Whether all that the step needs was given.
  [[nodiscard]] bool possible(const Step &step) const;
  /// For the requests that name nobody and nothing.
  [[nodiscard]] Result<Subject> usual_subject(const Credential &credential) const;
  [[nodiscard]] const Signer &signer(const Credential &credential) const { return signers.find(credential.name)->second; }
  [[nodiscard]] bool usable(const Scheme &scheme) const {
    return usable_schemes[static_cast<std::size_t>(&scheme - descriptor->schemes.data())];
  }
};

/// One given option: text, wiped with the bag it lies in.
struct GivenValue {
  std::string name;
  SecretBytes text;
};

/// Fills the descriptor's parameters. E_CONFIG names what is unknown, missing or of the wrong type, with the nearest known name.
/// `given` holds only provider parameters; options of the library itself were taken out before. `host_signs`: keys are the host's. Reads
/// files of keys.
Result<ClientConfig> configure(std::shared_ptr<const Descriptor> descriptor, const std::vector<GivenValue> &given, bool host_signs = false);

/// A base URL given for an origin of the descriptor; the origin "" means the only one there is. https, or http to a loopback
/// address: whether the client allows that is the caller's to decide. One trailing slash is taken off.
struct BaseUrl {
  std::string origin;
  std::string url;
};

/// The descriptor with a JSON Merge Patch applied and the base URLs of the named origins replaced.
/// E_CONFIG when the origin is unknown, or is not named although the provider has several.
Result<std::shared_ptr<const Descriptor>> override_descriptor(const std::shared_ptr<const Descriptor> &descriptor,
                                                              std::optional<std::string_view> patch, const std::vector<BaseUrl> &base_urls);

/// Null when the client option `scheme` names a scheme that some API group offers and for which all was given; else E_CONFIG.
ErrorPtr check_scheme(const ClientConfig &config, std::string_view scheme_wanted);

/// Which API group a request belongs to and how it is authorised.
struct Authorisation {
  const Api *api = nullptr;  ///< null when no URL and no group was named
  const Scheme *scheme = nullptr;
  const Credential *credential = nullptr;
};

/// A URL taken apart by net/url.h: canonical origin and path.
struct Target {
  std::string_view origin;  ///< scheme://host[:port]
  std::string_view path;    ///< begins with '/'; without query
};

/// Finds the group by name, or by origin, longest path prefix and method, and the scheme: the one the client selected where the group
/// offers it, else the group's first that is usable. A named group must be on the target's origin, whatever the path. With neither name nor
/// target, the selected scheme, else the first usable one of any group that has a token. An empty method matches groups without methods
/// only. E_FOREIGN_ORIGIN when the target is not below an origin of a group; E_CONFIG when no group covers it, a name is unknown, or
/// nothing was given for any of the group's schemes.
Result<Authorisation> resolve(const ClientConfig &config, std::optional<std::string_view> scheme_wanted,
                              std::optional<std::string_view> api_name, const std::optional<Target> &target, std::string_view method);

}  // namespace fleetauth::provider
