#include "tools/fleetauth/diagnosis.h"

#include <arpa/inet.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <cerrno>

#include "tools/fleetauth/console.h"
#include "tools/fleetauth/text.h"

namespace fleetauth::command {

namespace {

constexpr std::int64_t kSoonMs = std::int64_t{14} * 86'400'000;
constexpr std::array kSteps = {"lookup", "connection", "tls", "reachability"};

/// Six of them at most.
std::string listed(std::vector<std::string> texts) {
  constexpr std::size_t kMost = 6;
  const std::size_t more = texts.size() > kMost ? texts.size() - kMost : 0;
  texts.resize(texts.size() - more);
  return joined(texts) + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

/// Of "scheme://host:port", without the brackets of IPv6.
std::string host_of(const std::string &origin) {
  std::string host = origin.substr(origin.find("//") + 2);
  host.resize(host.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

bool is_address(const std::string &host) {
  std::array<unsigned char, sizeof(in6_addr)> any{};
  return ::inet_pton(AF_INET, host.c_str(), any.data()) == 1 || ::inet_pton(AF_INET6, host.c_str(), any.data()) == 1;
}

/// An origin while it is looked at: the words of each step.
class Examination {
 public:
  Examination(const Origin &origin, const Network &network)
      : origin_(origin), network_(network), place_(origin_of(origin.url)), host_(host_of(place_)) {
    through_ = goes_through(*network.proxy, origin.url);
    if (through_) proxy_ = origin_of(*network.proxy);
  }

  Diagnosis run() {
    result_.origin = origin_.name;
    result_.proxy = proxy_finding();
    if (!lookup()) return finished("the name is not known");
    const net::Trust nobody{net::TrustStore(X509_STORE_new(), X509_STORE_free), "", 0};
    probe_ = probe(origin_.url, network_.http, origin_.pins, network_.trust.value_or(nobody), *network_.proxy, network_.patience);
    result_.clock = probe_.clock;
    if (!connection()) return finished("there is no connection");
    if (!tls()) return finished("the server is not verified");
    result_.reachable = reachability();
    return finished("");
  }

 private:
  Finding &add(State state, std::string seen, std::string next = "", fleetauth_status status = FLEETAUTH_OK) {
    const char *check = kSteps[result_.steps.size()];
    return result_.steps.emplace_back(Finding{state, check, origin_.name, std::move(seen), std::move(next), status});
  }
  bool problem(fleetauth_status status, std::string seen, std::string next) {
    add(State::Problem, std::move(seen), std::move(next), status);
    return false;
  }
  Diagnosis finished(const std::string &why) {
    while (result_.steps.size() < kSteps.size()) add(State::Skipped, why);
    return std::move(result_);
  }

  [[nodiscard]] std::string check_place() const {
    return origin_.given ? "check the option " + origin_.option + " for a typing error"
                         : "this is the provider's own address, so check this machine's network";
  }

  Finding proxy_finding() const {
    const net::Proxy &proxy = *network_.proxy;
    Finding finding{State::Ok, "proxy", origin_.name, ""};
    finding.data = {{"url", through_ ? nlohmann::ordered_json(proxy_) : nlohmann::ordered_json()}, {"source", proxy.source}};
    if (through_) {
      finding.seen = proxy_ + ", from " + proxy.source;
      if (!proxy.bypass_source.empty()) finding.seen += "; " + proxy.bypass_source + " does not except " + host_;
    } else if (proxy.url.empty()) {
      finding.seen = proxy.source.empty() ? "none: neither HTTPS_PROXY nor ALL_PROXY is set" : "none, as " + proxy.source + " says";
    } else if (origin_.url.starts_with("http://")) {
      finding.seen = "none: plain http stays on this machine";
    } else {
      finding.seen = "none: " + proxy.bypass_source + " excepts " + host_ + " from " + origin_of(proxy) + " of " + proxy.source;
    }
    return finding;
  }

  bool lookup() {
    const std::string host = through_ ? host_of(proxy_) : host_;
    const std::string whose = through_ ? "the proxy's name " : "the name ";
    const std::string rest = through_ ? "; " + host_ + " is looked up by the proxy" : "";
    if (is_address(host)) {
      add(State::Ok, host + " is an address: nothing to look up" + rest).data["addresses"] = std::vector{host};
      return true;
    }
    const Lookup found = look_up(host, network_.patience.to_connect_ms());
    if (found.failure.empty()) {
      add(State::Ok, host + " is " + listed(found.addresses) + rest).data["addresses"] = found.addresses;
      return true;
    }
    if (through_) {
      return problem(FLEETAUTH_E_PROXY, whose + host + " cannot be looked up: " + found.failure,
                     "check the proxy in " + network_.proxy->source + ", and whether this network is the one it is for");
    }
    if (found.no_such_name) {
      return problem(FLEETAUTH_E_DNS, "the name " + host + " does not exist here (" + found.failure + ")",
                     check_place() + "; if other names are not found either (getent hosts " + host + "), name lookup (DNS) does not work");
    }
    return problem(FLEETAUTH_E_DNS, "the name " + host + " cannot be looked up: " + found.failure,
                   "check that this machine is online and its name servers answer (getent hosts " + host +
                       "); where only a proxy reaches the internet, set HTTPS_PROXY");
  }

  bool connection() {
    if (probe_.reached == Reached::Nothing) return not_connected();
    const std::string took = " in " + std::to_string(probe_.connect_ms) + " ms";
    const bool tunnel_failed = through_ && probe_.reached == Reached::Connection && !probe_.tls;
    if (tunnel_failed) return proxy_failed();
    Finding &finding = add(State::Ok, (through_ ? "through the proxy, " : "") + probe_.address + took);
    finding.data = {{"address", probe_.address}, {"connect_ms", probe_.connect_ms}};
    return true;
  }

  bool not_connected() {
    const std::string to = through_ ? "the proxy " + proxy_ : place_;
    const fleetauth_status status = through_ ? FLEETAUTH_E_PROXY : FLEETAUTH_E_CONNECT;
    const std::string check = through_ ? "check the proxy in " + network_.proxy->source : check_place();
    if (probe_.address_refused) {
      return problem(status,
                     to + " leads to an address that fleetauth never connects to (link-local, multicast, or not this machine for http)",
                     check + ", and who answers for its name");
    }
    if (probe_.code == CURLE_OPERATION_TIMEDOUT) {
      return problem(through_ ? FLEETAUTH_E_PROXY : FLEETAUTH_E_TIMEOUT,
                     "no connection to " + to + " within " + std::to_string(network_.patience.to_connect_ms()) + " ms (" +
                         network_.patience.to_connect_option() + ")",
                     "a firewall may drop it: ask for outgoing TCP to " + to + (through_ ? "" : ", or for the proxy to use (HTTPS_PROXY)"));
    }
    if (probe_.error_number == ECONNREFUSED) {
      return problem(status, "nobody listens at " + to + " (connection refused)",
                     check + " (host and port), and whether " + (through_ ? "the proxy" : "the server") + " runs");
    }
    return problem(status, "no connection to " + to + ": " + reason(), check + ", its routes and firewall");
  }

  /// libcurl's words, or what it says of the code.
  [[nodiscard]] std::string reason() const { return probe_.detail.empty() ? curl_easy_strerror(probe_.code) : probe_.detail; }

  bool proxy_failed() {
    if (probe_.proxy_tls && probe_.proxy_tls->error != X509_V_OK) {
      return problem(
          FLEETAUTH_E_PROXY,
          "the certificate of the proxy " + proxy_ + " is not trusted: " + X509_verify_cert_error_string(probe_.proxy_tls->error),
          "ask who runs the proxy for its CA certificate, and add it to ca_file; or use the proxy by http://");
    }
    const std::string answered = "the proxy " + proxy_ + " answered " + std::to_string(probe_.proxy_status) + " when asked for " + place_;
    if (probe_.proxy_status == 407) {
      return problem(FLEETAUTH_E_PROXY, answered + ": it wants a user name and password",
                     "put them into the proxy's URL (http://USER:PASSWORD@...) in " +
                         (network_.proxy->source == "the option proxy" ? "the profile" : network_.proxy->source));
    }
    if (probe_.proxy_status >= 500) {
      return problem(FLEETAUTH_E_PROXY, answered + ": it does not reach the server", check_place() + ", then ask who runs the proxy");
    }
    if (probe_.proxy_status != 0) {
      return problem(FLEETAUTH_E_PROXY, answered + ": it refuses",
                     "ask who runs the proxy to allow " + host_ + ", or except it by NO_PROXY");
    }
    return problem(FLEETAUTH_E_PROXY, "the proxy " + proxy_ + " made no connection: " + reason(),
                   "check that it is a proxy of this kind (http, https or socks5h), in " + network_.proxy->source);
  }

  // ---------------------------------------------------------------- TLS

  bool tls() {
    if (origin_.url.starts_with("http://")) {
      add(State::Warning, "none: plain http, credentials travel unencrypted", "for tests on this machine only");
      return true;
    }
    if (!network_.trust) {
      add(State::Skipped, "there are no CA certificates to verify with");
      return false;
    }
    if (probe_.tls && probe_.tls->certificate) return certificate(*probe_.tls, *probe_.tls->certificate);
    if (probe_.code == CURLE_OPERATION_TIMEDOUT) {
      return problem(FLEETAUTH_E_TIMEOUT,
                     "the TLS handshake did not end within " + std::to_string(network_.patience.to_connect_ms()) + " ms",
                     "something between may hold it up (a firewall, a small MTU); if the network is slow, raise " +
                         std::string(network_.patience.to_connect_option()));
    }
    return problem(FLEETAUTH_E_TLS, "no TLS handshake: " + reason(),
                   "check that " + place_ + " is a server of https (" + origin_.option +
                       "); it must offer TLS 1.2 or newer with ECDHE and an AEAD cipher");
  }

  bool certificate(const Handshake &handshake, const Certificate &one) {
    std::string seen = handshake.version + ", certificate of " + (one.subject.empty() ? listed(one.names) : one.subject) + ", issued by " +
                       one.issuer + ", good from " + instant(one.not_before_ms) + " to " + instant(one.not_after_ms);
    const bool good = distrust(handshake, one, seen);
    if (good) {
      const bool soon = one.not_after_ms - wall_ms() < kSoonMs;
      add(soon ? State::Warning : State::Ok, std::move(seen), soon ? "it ends soon: whoever runs the server has to renew it" : "");
    }
    result_.steps.back().data = {{"version", handshake.version},
                                 {"subject", one.subject},
                                 {"issuer", one.issuer},
                                 {"names", one.names},
                                 {"not_before", instant(one.not_before_ms)},
                                 {"not_after", instant(one.not_after_ms)},
                                 {"verify_error", handshake.error}};
    return good;
  }

  /// True when there is none.
  bool distrust(const Handshake &handshake, const Certificate &one, const std::string &seen) {
    const std::string whose = handshake.of_issuer ? "the certificate of its issuer" : "the certificate";
    switch (handshake.error) {
      case X509_V_OK:
        return handshake_ended(one, seen);
      case X509_V_ERR_CERT_HAS_EXPIRED:
        return problem(FLEETAUTH_E_TLS, whose + " has expired, for this machine's clock says " + instant(wall_ms()) + ": " + seen,
                       "if that is not the time now, set the clock; if it is, whoever runs the server has to renew it");
      case X509_V_ERR_CERT_NOT_YET_VALID:
        return problem(FLEETAUTH_E_TLS, whose + " is not yet valid, for this machine's clock says " + instant(wall_ms()) + ": " + seen,
                       "if that is not the time now, set the clock; if it is, tell whoever runs the server");
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return problem(FLEETAUTH_E_TLS, "its authority is not among the " + authorities() + ": " + seen, next_for_unknown_authority());
      case X509_V_ERR_EE_KEY_TOO_SMALL:
      case X509_V_ERR_CA_KEY_TOO_SMALL:
      case X509_V_ERR_CA_MD_TOO_WEAK:
        return problem(FLEETAUTH_E_TLS, whose + " is too weak (" + X509_verify_cert_error_string(handshake.error) + "): " + seen,
                       "the server needs one with RSA of 2048 bits or an elliptic curve, signed with SHA-256 or better");
      default:
        return problem(FLEETAUTH_E_TLS, whose + " is not trusted (" + X509_verify_cert_error_string(handshake.error) + "): " + seen,
                       "tell whoever runs the server");
    }
  }

  [[nodiscard]] std::string authorities() const { return std::to_string(network_.trust->certificates) + " of " + network_.trust->source; }

  [[nodiscard]] std::string next_for_unknown_authority() const {
    const bool own = !network_.http.ca_file.empty() || !network_.http.ca_pem.empty();
    return own ? "give the CA certificate of this server's operator; for a public provider leave ca_file and ca_pem out"
               : "if the server has a private CA, or a proxy here opens TLS, set ca_file to that CA's certificate (PEM); if neither is "
                 "known to you, this may be another server: ask";
  }

  /// The certificate is trusted: then it may be for another host, or have another key.
  bool handshake_ended(const Certificate &one, const std::string &seen) {
    if (probe_.reached == Reached::Server || probe_.reached == Reached::Answer) return true;
    if (probe_.code == CURLE_PEER_FAILED_VERIFICATION) {
      return problem(FLEETAUTH_E_TLS,
                     "the certificate is not for " + host_ + " but for " + (one.names.empty() ? one.subject : listed(one.names)),
                     "set " + origin_.option + " to a name that the certificate is for, if that is the provider's server");
    }
    if (probe_.code == CURLE_SSL_PINNEDPUBKEYNOTMATCH) {
      return problem(FLEETAUTH_E_TLS, "the certificate is trusted, but its key is not one of pinned_public_key: " + seen,
                     "ask the provider whether the key was changed; if so add the new one to pinned_public_key");
    }
    return problem(FLEETAUTH_E_TLS, "the TLS handshake broke: " + reason(), "try again; if it stays so, ask whoever runs the server");
  }

  // ---------------------------------------------------------------- HTTP

  bool reachability() {
    if (probe_.reached != Reached::Answer) {
      const bool late = probe_.code == CURLE_OPERATION_TIMEDOUT;
      return problem(late ? FLEETAUTH_E_TIMEOUT : FLEETAUTH_E_NETWORK, "no answer to HEAD " + place_ + ": " + reason(),
                     late ? "the server is slow or stuck: try again later, or raise attempt_timeout_ms"
                          : "check that the port is that of the provider's API (" + origin_.option + "), and try again");
    }
    const std::string seen = "HTTP " + std::to_string(probe_.status);
    if (probe_.status >= 500) {
      add(State::Warning, seen + ": the server answers, and says that it fails", "if the login fails too, wait or ask the provider");
    } else {
      add(State::Ok, seen + (probe_.status >= 400 ? ": the server answers; without credentials any status will do" : ""));
    }
    result_.steps.back().data["http_status"] = probe_.status;
    return true;
  }

  const Origin &origin_;
  const Network &network_;
  std::string place_;
  std::string host_;
  bool through_ = false;
  std::string proxy_;
  Probe probe_;
  Diagnosis result_;
};

}  // namespace

Diagnosis diagnose(const Origin &origin, const Network &network) {
  if (origin.url.empty()) return not_diagnosed(origin.name, "no URL is known; set " + origin.option);
  const std::string place = origin_of(origin.url);
  const bool http = network.http.allow_http && place.starts_with("http://");
  if (!place.starts_with("https://") && !http) {
    return not_diagnosed(origin.name, "the URL of " + origin.option + " cannot be used; https://HOST is expected");
  }
  if (!network.proxy) return not_diagnosed(origin.name, "the proxy cannot be used");
  return Examination(origin, network).run();
}

Diagnosis not_diagnosed(const std::string &origin, const std::string &why) {
  Diagnosis result{origin, {State::Skipped, "proxy", origin, why}, {}, {}, false};
  for (const char *check : kSteps) result.steps.push_back({State::Skipped, check, origin, why});
  return result;
}

}  // namespace fleetauth::command
