#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/fleetauth/client.h"

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
};

/// Sends one request: TLS verified, no redirects, a minute and 16 MiB at most. Throws LibraryError with curl's reason.
[[nodiscard]] HttpAnswer send(const HttpCall &call, const HttpSettings &settings);

}  // namespace fleetauth::command
