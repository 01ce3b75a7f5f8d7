#pragma once

#include <curl/curl.h>

#include <string>

/// The proxy that requests go through, chosen as the library does.
namespace fleetauth::command {

struct ProxyChoice {
  std::string url;     ///< empty: none; may hold a password
  std::string source;  ///< what it is from, for people
  std::string bypass;  ///< the hosts that are reached without it, as no_proxy has them
  std::string bypass_source;
};

/// From the option: "env", "none" or empty, or a URL. Throws SetupError, which does not repeat the URL.
[[nodiscard]] ProxyChoice choose_proxy(const std::string &setting);

/// Plain http stays on this machine.
void set_proxy(CURL *handle, const ProxyChoice &choice, const std::string &url);

/// Whether a request to `url` goes through the proxy. Nothing is looked up and nothing is sent.
[[nodiscard]] bool goes_through(const ProxyChoice &choice, const std::string &url);

/// Scheme, host and port of a URL, and nothing else of it; empty when it is none.
[[nodiscard]] std::string origin_of(const std::string &url);
/// The same of a proxy, whose default port is libcurl's own.
[[nodiscard]] std::string origin_of(const ProxyChoice &choice);

}  // namespace fleetauth::command
