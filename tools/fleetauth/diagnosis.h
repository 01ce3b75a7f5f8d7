#pragma once

#include <optional>
#include <string>

#include "tools/fleetauth/finding.h"
#include "tools/fleetauth/probe.h"

/// What a request without credentials to each origin tells, in words.
namespace fleetauth::command {

/// What all origins have in common.
struct Network {
  HttpSettings http;
  Patience patience;
  std::optional<net::Proxy> proxy;  ///< none: it cannot be used
  std::optional<net::Trust> trust;
};

/// One of the provider's places.
struct Origin {
  std::string name;
  std::string url;     ///< empty: not known
  std::string option;  ///< the one that sets it
  bool given = false;  ///< the option is set
  std::string pins;    ///< of its public key; empty when any will do
};

struct Diagnosis {
  std::string origin;
  Finding proxy;
  Findings steps;  ///< lookup, connection, tls, reachability
  std::optional<ClockReading> clock;
  bool reachable = false;
};

/// Sends one request at most.
[[nodiscard]] Diagnosis diagnose(const Origin &origin, const Network &network);

/// The same without a request; `why` says why.
[[nodiscard]] Diagnosis not_diagnosed(const std::string &origin, const std::string &why);

}  // namespace fleetauth::command
