#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "core/flow/http.h"

namespace fleetauth::net {

inline constexpr std::string_view kNoDescriptors = "the process has no file descriptors left; close some or raise its limit (ulimit -n)";

/// What is known when libcurl gives up on a request.
struct Ending {
  CURLcode code = CURLE_OK;
  flow::CallClass call_class = flow::CallClass::OneShot;
  flow::Sent sent = flow::Sent::No;
  std::size_t max_body = flow::kMaxBody;
  std::string_view proxy;  ///< printable; empty = none was set
  bool proxy_has_exceptions = false;
  std::string_view ca_source;
  std::string_view detail;       ///< libcurl's own text
  long verify_result = 0;        ///< of the certificate check
  long connect_status = 0;       ///< what the proxy answered
  bool address_refused = false;  ///< our address policy refused a connection
  bool no_name = false;          ///< the lookup found that there is no such name
  bool no_descriptors = false;
  bool out_of_memory = false;  ///< an allocation of libcurl or OpenSSL failed meanwhile
  std::int64_t connect_timeout_ms = 0;
  std::int64_t attempt_timeout_ms = 0;
};

/// The error for it: what happened and what to do; the flow says in which step and with whom. Quotes nothing of a server, no path and no
/// query.
[[nodiscard]] flow::HttpFailure describe(const Ending &ending);

/// Made ahead, for when there is no memory to say more.
[[nodiscard]] const ErrorPtr &out_of_memory();

/// The same for a reason of our own.
[[nodiscard]] flow::HttpFailure refuse(const Ending &ending, Status status, std::string_view what);

}  // namespace fleetauth::net
