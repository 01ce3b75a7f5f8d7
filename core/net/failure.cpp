#include "core/net/failure.h"

#include <openssl/x509_vfy.h>

#include "core/base/redact.h"

namespace fleetauth::net {
namespace {

struct Finding {
  Status status;
  std::string what;
};

std::string seconds(std::int64_t ms) {
  const std::int64_t tenths = (ms + 50) / 100;
  return std::to_string(tenths / 10) + (tenths % 10 != 0 ? "." + std::to_string(tenths % 10) : "") + " s";
}

Finding certificate_failed(const Ending &e) {
  switch (e.verify_result) {
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED:  // what libcurl leaves when the chain is good and the name is not
      return {Status::Tls, "its certificate is for another host; check the host name of the base URL"};
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {Status::Tls, std::string("its certificate cannot be trusted now: ") + X509_verify_cert_error_string(e.verify_result) +
                               "; check this machine's clock, else the server must renew it"};
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return {Status::Tls, std::string("its certificate cannot be trusted: ") + X509_verify_cert_error_string(e.verify_result) +
                               "; the server needs one with RSA of 2048 bits or an elliptic curve, signed with SHA-256 or better"};
    default:
      return {Status::Tls, std::string("its certificate cannot be trusted: ") + X509_verify_cert_error_string(e.verify_result) +
                               " (CA certificates from " + std::string(e.ca_source) +
                               "); if the server has a private CA, set ca_file to it"};
  }
}

Finding timed_out(const Ending &e) {
  if (e.sent == flow::Sent::No)
    return {Status::Timeout, "no connection within " + seconds(e.connect_timeout_ms) + "; check the network and any firewall"};
  return {Status::Timeout, "no complete answer within " + seconds(e.attempt_timeout_ms)};
}

Finding not_connected(const Ending &e) {
  if (e.no_descriptors) return {Status::Resource, std::string(kNoDescriptors)};
  if (e.address_refused)
    return {Status::Connect, "its name leads to an address that is not allowed (link-local, or not this machine for plain http)"};
  if (e.proxy.empty())
    return {Status::Connect, "the connection was refused or there is no route; check the base URL and whether the server runs"};
  if (e.proxy_has_exceptions) return {Status::Connect, "no connection, neither directly nor through the proxy " + std::string(e.proxy)};
  return {Status::Proxy, "no connection to the proxy " + std::string(e.proxy) + "; check the option proxy"};
}

Finding broken(const Ending &e, const char *what) {
  if (e.sent == flow::Sent::No && e.connect_status >= 300) {
    return {Status::Proxy, "the proxy " + std::string(e.proxy) + " answered " + std::to_string(e.connect_status) +
                               (e.connect_status == 407 ? "; put its user name and password into the proxy's URL"
                                                        : "; ask who runs it to allow this host")};
  }
  if (e.sent == flow::Sent::No && !e.proxy.empty() && !e.proxy_has_exceptions)
    return {Status::Proxy, "the proxy " + std::string(e.proxy) + " broke the connection"};
  return {Status::Network, what};
}

// A handshake ends either by an alert or a rule of TLS, or because the connection broke meanwhile. libcurl tells them apart in its
// text only: OpenSSL's own errors begin with "error:".
Finding handshake_failed(const Ending &e) {
  const std::size_t error = e.detail.find("error:");
  if (error == std::string_view::npos || e.detail.find("unexpected eof") != std::string_view::npos) {
    return broken(e, "the connection was closed during the TLS handshake");
  }
  return {Status::Tls, "the TLS handshake failed (" + redact::printable(e.detail.substr(error)) +
                           "); the server must offer TLS 1.2 or newer with ECDHE and an AEAD cipher"};
}

Finding look_up(const Ending &e) {
  // What becomes of an allocation that fails may be any error.
  if (e.out_of_memory && e.code != CURLE_OPERATION_TIMEDOUT && !e.no_name) return {Status::NoMem, "memory ran out"};
  switch (e.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      if (e.no_name) return {Status::Dns, "its name does not exist; check the host name of the base URL"};
      return {Status::Dns, "its name could not be resolved; check the base URL and the network"};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Status::Proxy, "the name of the proxy " + std::string(e.proxy) + " could not be resolved; check the option proxy"};
    case CURLE_PROXY:
      return {Status::Proxy, "the proxy " + std::string(e.proxy) + " refused or failed"};
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
      return not_connected(e);
    case CURLE_OPERATION_TIMEDOUT:
      return timed_out(e);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return certificate_failed(e);
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return {Status::Tls,
              "its certificate is trusted, but its public key is not one of the option pinned_public_key; if the server has "
              "a new key, add it there"};
    case CURLE_SSL_CONNECT_ERROR:
      return handshake_failed(e);
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_USE_SSL_FAILED:
      return {Status::Tls, std::string("TLS failed: ") + curl_easy_strerror(e.code)};
    case CURLE_GOT_NOTHING:
      return broken(e, "the connection was closed without an answer");
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
      return broken(e, "the connection broke while the request was sent");
    case CURLE_RECV_ERROR:
    case CURLE_READ_ERROR:
      return broken(e, "the connection broke before the answer was complete");
    case CURLE_PARTIAL_FILE:
      return broken(e, "the answer ended before its announced length");
    case CURLE_UNSUPPORTED_PROTOCOL:
      if (e.sent == flow::Sent::No) return {Status::Url, "its scheme is not allowed; only https is"};
      return {Status::Protocol, "the answer is not HTTP/1.1; check that the base URL and port are those of the provider's API"};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP3:
      return {Status::Protocol, "the answer is not valid HTTP/1.1; check that the base URL and port are those of the provider's API"};
    case CURLE_BAD_CONTENT_ENCODING:
      return {Status::Protocol, "the answer is compressed although that was not asked for"};
    case CURLE_FILESIZE_EXCEEDED:
      return {Status::TooLarge, "the answer is above the limit of " + std::to_string(e.max_body / 1024) + " KiB"};
    case CURLE_LOGIN_DENIED:
      return {Status::Url, "the URL has a user name; give credentials as options"};
    case CURLE_URL_MALFORMAT:
      return {Status::Url, "the URL is malformed"};
    case CURLE_OUT_OF_MEMORY:
      if (e.sent == flow::Sent::No) return {Status::NoMem, "memory ran out"};
      return {Status::TooLarge, "a header of the answer is too long"};
    default:
      return {Status::Internal,
              "libcurl failed with number " + std::to_string(e.code) + " (" + curl_easy_strerror(e.code) + "); please report this"};
  }
}

}  // namespace

const ErrorPtr &out_of_memory() {
  static const ErrorPtr &error = *new ErrorPtr(fail(Status::NoMem, "memory ran out"));  // never destroyed
  return error;
}

flow::HttpFailure refuse(const Ending &ending, Status status, std::string_view what) {
  Error error;
  error.status = status;
  error.message = what;
  if (ending.code == CURLE_COULDNT_RESOLVE_HOST && ending.no_name) error.retryable = false;
  error.in_doubt = ending.sent == flow::Sent::Maybe && ending.call_class != flow::CallClass::Idempotent;
  return {fail(std::move(error)), ending.sent};
}

flow::HttpFailure describe(const Ending &ending) {
  const Finding finding = look_up(ending);
  return refuse(ending, finding.status, finding.what);
}

}  // namespace fleetauth::net
