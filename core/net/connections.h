#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/os/descriptor.h"
#include "core/net/driver.h"
#include "core/net/trust.h"

namespace fleetauth::net {

using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;
using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

struct Connections;

inline constexpr std::size_t kIdleHandles = 4;  ///< of each set of connections

/// A socket in epoll. It stays there while its connection is idle: the next request is likely to want the same.
struct Watched {
  Connections *owner = nullptr;  ///< null while idle
  os::Interest interest;
};

/// The sockets of a driver.
struct Sockets {
  os::Descriptor epoll = os::make_epoll();
  std::unordered_set<int> open;              ///< all of them, so that a fork's child can close them without libcurl
  std::unordered_map<int, Watched> watched;  ///< those in `epoll`
};

/// What requests with equal settings share: connections and trusted certificates. libcurl compares connections by settings it
/// knows, and our certificate store is none of them; each set of settings therefore has a connection cache (a CURLM) of its own,
/// and a connection that was checked against one CA is never used for a client with another.
struct Connections {
  std::shared_ptr<const NetOptions> options;
  std::optional<Trust> trust;  ///< loaded by the first TLS handshake
  Sockets *sockets = nullptr;
  BootMs due = kNever;  ///< when libcurl wants to be called without a socket's being ready
  std::size_t in_flight = 0;
  std::vector<Easy> idle_handles;  ///< set up by the policy, with nothing of a request in them
  Multi multi{nullptr, curl_multi_cleanup};

  [[nodiscard]] bool serves(const NetOptions &other) const {
    return other.ca_file == options->ca_file && other.pinned_public_key == options->pinned_public_key && other.ca_pem == options->ca_pem &&
           equal_constant_time(other.proxy.url.view(), options->proxy.url.view()) && other.proxy.bypass == options->proxy.bypass;
  }
};

}  // namespace fleetauth::net
