#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/secret_bytes.h"

namespace fleetauth::net {

/// What goes through a proxy. Requests to http addresses of this machine never do.
struct Proxy {
  SecretBytes url;        ///< empty = none; may hold credentials for the proxy
  std::string bypass;     ///< hosts that are reached directly, as no_proxy has them
  std::string printable;  ///< scheme, host and port
  std::string source;     ///< for messages: what says so; empty = nothing does
  std::string bypass_source;
};

/// From the setting: "none", "env" (https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY and no_proxy, NO_PROXY; not in a process with raised
/// privileges), read now and not again, or a URL. E_CONFIG when it is not an http, https or socks5h URL.
Result<Proxy> choose_proxy(std::string_view setting);

}  // namespace fleetauth::net
