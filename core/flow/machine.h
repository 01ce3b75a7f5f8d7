#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "core/flow/http.h"
#include "core/provider/client_config.h"

namespace fleetauth::flow {

/// A token as the provider gave it.
struct Grant {
  SecretBytes access;
  std::int64_t lifetime_ms = 0;  ///< from the moment of the answer; kNever without end
  bool expiry_unknown = false;   ///< the provider gave none that could be understood: the profile's default was taken
};

struct SendRequest {
  HttpRequest request;
};
struct Granted {
  Grant grant;
};
struct Failed {
  ErrorPtr error;
};
using Effect = std::variant<SendRequest, Granted, Failed>;

/// One authentication attempt as a pure state machine: no clock, no I/O, no threads. After Granted it is finished.
/// Repeating a request that failed is not its business: after Failed it expects the answer to the same request, should that be sent again.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual Effect start(const Now &now) = 0;
  virtual Effect on_response(const HttpResponse &response, const Now &now) = 0;
  virtual Effect on_failure(const HttpFailure &failure, const Now &now) = 0;
};

/// The machine for a credential of the client's provider; null for one without a token (see local_secret). `config` outlives the machine.
std::unique_ptr<Machine> make_machine(const provider::ClientConfig &config, const provider::Credential &credential);

}  // namespace fleetauth::flow
