#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/net/trust.h"
#include "tools/fleetauth/client.h"

namespace fleetauth::command {

struct HttpAnswer {
  long status = 0;
  std::string date;  ///< the header; empty when there is none that is printable
  std::string body;
};

struct HttpCall {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;
};

/// The authorities that servers' certificates have to come from. Throws LibraryError.
[[nodiscard]] net::Trust load_trust(const HttpSettings &settings);

/// Sends one request: TLS verified, no redirects, a minute and 16 MiB at most. Throws LibraryError with curl's reason.
[[nodiscard]] HttpAnswer send(const HttpCall &call, const HttpSettings &settings);

}  // namespace fleetauth::command
