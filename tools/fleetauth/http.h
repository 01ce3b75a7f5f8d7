#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>
#include <string_view>
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

/// The value in a line of an answer's header, if it is of that name.
[[nodiscard]] std::optional<std::string_view> header_value(std::string_view line, std::string_view name);

/// TLS as the library has it. `set_up`, with `data`, prepares the context of each connection.
void set_tls(CURL *handle, curl_ssl_ctx_callback set_up, void *data);

/// The authorities that servers' certificates have to come from. Throws LibraryError.
[[nodiscard]] net::Trust load_trust(const HttpSettings &settings);

/// Sends one request: TLS verified, no redirects, a minute and 16 MiB at most. Throws LibraryError with curl's reason.
[[nodiscard]] HttpAnswer send(const HttpCall &call, const HttpSettings &settings);

}  // namespace fleetauth::command
