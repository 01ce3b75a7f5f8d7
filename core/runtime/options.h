#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/driver.h"
#include "core/net/url.h"
#include "core/provider/client_config.h"
#include "core/token/life.h"

namespace fleetauth::runtime {

/// A bag of named values as a host fills it; what they mean is checked where they are used.
class Options {
 public:
  void set(std::string_view name, std::string_view value);
  [[nodiscard]] const std::vector<provider::GivenValue> &values() const { return values_; }

 private:
  std::vector<provider::GivenValue> values_;
};

struct RuntimeSettings {
  bool manual = false;
  std::int64_t idle_ms = 0;
};

struct RequestSettings {
  // What every call looks at comes first: it lies together.
  std::int64_t min_remaining_ms = 0;
  std::optional<std::int64_t> timeout_ms;
  std::optional<std::string> account;
  std::optional<std::string> api;
  std::optional<std::string> claim_set;
  std::optional<std::string> claims;
};

/// Everything a client is made of, checked. Shared by what it started; wiped with the last of them.
struct Setup {
  provider::ClientConfig config;
  std::optional<std::string> scheme;
  bool host_transport = false;
  bool host_signer = false;
  std::shared_ptr<const net::NetOptions> net;
  net::UrlPolicy url_policy;
  std::int64_t total_timeout_ms = 0;
  std::int64_t max_tokens = 0;
  token::Margins margins;

  /// Whether the host does something for a token of this credential.
  [[nodiscard]] bool needs_host(const provider::Credential &credential) const {
    return credential.kind == provider::FlowKind::SignedJwt ? host_signer : host_transport;
  }
  std::vector<net::Url> origins;  ///< the descriptor's, in its order
  // Keyed digests, secrets included: equal for equal configurations; for the same credentials at the same provider, however it is reached.
  std::string digest;
  std::string login_digest;
};

/// Each names what is unknown, missing, of the wrong type or out of range, and what is expected. E_CONFIG.
Result<RuntimeSettings> read_runtime_options(const Options *options);
Result<RequestSettings> read_request_options(const Options *options);
Result<std::shared_ptr<const Setup>> read_client_options(const std::shared_ptr<const provider::Descriptor> &descriptor,
                                                         const Options &options);

}  // namespace fleetauth::runtime
