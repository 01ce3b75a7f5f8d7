#pragma once

#include <curl/curl.h>

#include <string>

#include "core/net/proxy.h"

/// The proxy that requests go through, chosen as the library does.
namespace fleetauth::command {

/// From the option: "env", "none" or empty, or a URL. Throws SetupError, which does not repeat the URL.
[[nodiscard]] net::Proxy choose_proxy(const std::string &setting);

/// Plain http stays on this machine.
void set_proxy(CURL *handle, const net::Proxy &proxy, const std::string &url);

/// Whether a request to `url` goes through the proxy. Nothing is looked up and nothing is sent.
[[nodiscard]] bool goes_through(const net::Proxy &proxy, const std::string &url);

/// Scheme, host and port of a URL, and nothing else of it; empty when it is none.
[[nodiscard]] std::string origin_of(const std::string &url);
/// The same of a proxy, whose default port is libcurl's own.
[[nodiscard]] std::string origin_of(const net::Proxy &proxy);

}  // namespace fleetauth::command
