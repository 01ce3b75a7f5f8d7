#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fleetauth::command {

struct HttpAnswer {
  long status = 0;
  std::string body;
};

struct HttpCall {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;
  std::string ca_file;  ///< empty: the system's
  bool allow_http = false;
};

/// Sends one request: TLS verified, no redirects, a minute and 16 MiB at most. Throws SetupError with curl's reason.
[[nodiscard]] HttpAnswer send(const HttpCall &call);

}  // namespace fleetauth::command
