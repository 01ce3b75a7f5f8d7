#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/net/trust.h"
#include "tools/fleetauth/client.h"
#include "tools/fleetauth/proxy.h"

/// How far a request without credentials gets.
namespace fleetauth::command {

struct Certificate {
  std::string subject;
  std::string issuer;
  std::vector<std::string> names;  ///< the hosts it is for
  std::int64_t not_before_ms = 0;
  std::int64_t not_after_ms = 0;
};

/// A TLS handshake as far as the server's certificate, which is verified by the library's rules.
struct Handshake {
  std::string version;
  std::optional<Certificate> certificate;
  int error = 0;           ///< X509_V_OK, or why it is not trusted
  bool of_issuer = false;  ///< what is not trusted is above the server's certificate
};

struct Lookup {
  std::vector<std::string> addresses;
  bool no_such_name = false;
  std::string failure;  ///< empty: none
};

/// This machine's clock against the Date of an answer.
struct ClockReading {
  std::int64_t ahead_ms = 0;
  std::int64_t took_ms = 0;  ///< the answer, after the request
};

/// Where a request came to its end.
enum class Reached { Nothing, Connection, Handshake, Server, Answer };

struct Probe {
  Reached reached = Reached::Nothing;
  CURLcode code = CURLE_OK;
  std::string detail;    ///< libcurl's words
  int error_number = 0;  ///< the system's, of the connection
  std::string address;
  std::int64_t connect_ms = 0;
  bool address_refused = false;        ///< it is one that the library never connects to
  std::int64_t proxy_status = 0;       ///< what an http proxy answered to CONNECT
  std::optional<Handshake> proxy_tls;  ///< with an https proxy
  std::optional<Handshake> tls;
  std::int64_t status = 0;
  std::optional<ClockReading> clock;
};

struct Patience {
  std::int64_t connect_ms = 0;
  std::int64_t attempt_ms = 0;  ///< connecting included

  [[nodiscard]] std::int64_t to_connect_ms() const { return std::min(connect_ms, attempt_ms); }
  /// The option that limits it.
  [[nodiscard]] const char *to_connect_option() const { return connect_ms <= attempt_ms ? "connect_timeout_ms" : "attempt_timeout_ms"; }
};

/// This machine's clock.
[[nodiscard]] std::int64_t wall_ms();

/// The addresses of a host's name, in time.
[[nodiscard]] Lookup look_up(const std::string &host, std::int64_t timeout_ms);

/// Sends HEAD, if it gets so far: no credentials, no redirects, TLS verified as the library does it.
[[nodiscard]] Probe probe(const std::string &url, const HttpSettings &settings, const std::string &pins, const net::Trust &trust,
                          const net::Proxy &proxy, const Patience &patience);

}  // namespace fleetauth::command
