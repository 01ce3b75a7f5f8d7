#include "tools/fleetauth/probe.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "core/net/address.h"
#include "tools/fleetauth/http.h"

namespace fleetauth::command {

namespace {

// ---------------------------------------------------------------- certificates

std::string text_of(const X509_NAME *name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  if (out == nullptr) throw std::bad_alloc();
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char *text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::int64_t ms_of(const ASN1_TIME *time) {
  std::tm utc{};
  return ASN1_TIME_to_tm(time, &utc) == 1 ? std::int64_t{::timegm(&utc)} * 1000 : 0;
}

std::string text_of(const GENERAL_NAME *name) {
  if (name->type == GEN_DNS) {
    return {reinterpret_cast<const char *>(ASN1_STRING_get0_data(name->d.dNSName)),
            static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))};
  }
  if (name->type != GEN_IPADD) return "";
  const bool ipv4 = ASN1_STRING_length(name->d.iPAddress) == 4;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (!ipv4 && ASN1_STRING_length(name->d.iPAddress) != 16) return "";
  ::inet_ntop(ipv4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), text.data(), text.size());
  return text.data();
}

Certificate certificate_of(X509 *x509) {
  Certificate certificate{text_of(X509_get_subject_name(x509)),
                          text_of(X509_get_issuer_name(x509)),
                          {},
                          ms_of(X509_get0_notBefore(x509)),
                          ms_of(X509_get0_notAfter(x509))};
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES *>(X509_get_ext_d2i(x509, NID_subject_alt_name, nullptr, nullptr)), GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (std::string name = text_of(sk_GENERAL_NAME_value(names.get(), i)); !name.empty()) certificate.names.push_back(std::move(name));
  }
  return certificate;
}

// ---------------------------------------------------------------- what libcurl calls

/// What the callbacks of one transfer have seen.
struct Sight {
  const net::Trust &trust;
  bool plain_http = false;
  bool address_refused = false;
  bool ready = false;  ///< the request was about to be sent
  std::vector<Handshake> handshakes{};
  std::string date{};  ///< headers of the answer
  std::string age{};
};

int context_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// Notes what OpenSSL found, and leaves it at that: a certificate that is not trusted ends the handshake.
int note_certificate(int trusted, X509_STORE_CTX *context) {
  auto *ssl = static_cast<SSL *>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto *sight = static_cast<Sight *>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
  try {
    Handshake &handshake = sight->handshakes.back();
    handshake.version = SSL_get_version(ssl);
    if (!handshake.certificate) handshake.certificate = certificate_of(X509_STORE_CTX_get0_cert(context));
    if (trusted == 0) {
      handshake.error = X509_STORE_CTX_get_error(context);
      handshake.of_issuer = X509_STORE_CTX_get_error_depth(context) > 0;
    }
    return trusted;
  } catch (const std::bad_alloc &) {
    return 0;
  }
}

/// As the library does it, with a look at the certificates.
CURLcode watch_context(CURL * /*handle*/, void *context, void *sight_of_transfer) {
  auto *ssl_context = static_cast<SSL_CTX *>(context);
  auto *sight = static_cast<Sight *>(sight_of_transfer);
  net::set_up_tls_context(ssl_context, sight->trust);
  if (SSL_CTX_set_ex_data(ssl_context, context_index(), sight) != 1) return CURLE_OUT_OF_MEMORY;
  SSL_CTX_set_verify(ssl_context, SSL_VERIFY_PEER, note_certificate);
  sight->handshakes.emplace_back();
  return CURLE_OK;
}

curl_socket_t open_socket(void *sight_of_transfer, curlsocktype /*purpose*/, curl_sockaddr *to) {
  auto *sight = static_cast<Sight *>(sight_of_transfer);
  const auto address = net::Address::of(&to->addr);
  if (!address || !address->may_be_reached(!sight->plain_http)) {
    sight->address_refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

int note_ready(void *sight, char * /*to*/, char * /*from*/, int /*to_port*/, int /*from_port*/) {
  static_cast<Sight *>(sight)->ready = true;
  return CURL_PREREQFUNC_OK;
}

std::size_t note_header(char *data, std::size_t size, std::size_t count, void *sight_of_transfer) {
  auto *sight = static_cast<Sight *>(sight_of_transfer);
  const std::string_view line(data, size * count);
  if (const auto date = header_value(line, "Date")) sight->date = *date;
  if (const auto age = header_value(line, "Age")) sight->age = *age;
  return line.size();
}

std::size_t ignore(char * /*data*/, std::size_t size, std::size_t count, void * /*unused*/) { return size * count; }

// ---------------------------------------------------------------- what came of it

/// By the Date of the answer, which a cache may have kept for `Age` seconds.
std::optional<ClockReading> read_clock(const Sight &sight, std::int64_t took_ms) {
  const std::time_t at = sight.date.empty() ? -1 : curl_getdate(sight.date.c_str(), nullptr);
  if (at < 0) return std::nullopt;
  std::int64_t kept = 0;
  (void)std::from_chars(sight.age.data(), sight.age.data() + sight.age.size(), kept);
  return ClockReading{wall_ms() - (std::int64_t{at} + kept) * 1000, took_ms};
}

template <class Number>
Number info(CURL *handle, CURLINFO which) {
  Number number = 0;
  curl_easy_getinfo(handle, which, &number);
  return number;
}

std::string address_of(CURL *handle) {
  const char *ip = nullptr;
  curl_easy_getinfo(handle, CURLINFO_PRIMARY_IP, &ip);
  if (ip == nullptr || *ip == '\0') return "";
  const std::string text(ip);
  const std::string port = std::to_string(info<long>(handle, CURLINFO_PRIMARY_PORT));
  return (text.find(':') == std::string::npos ? text : "[" + text + "]") + ":" + port;
}

Reached reached(const Probe &probe, const Sight &sight, bool connected) {
  if (probe.code == CURLE_OK) return Reached::Answer;
  if (sight.ready) return Reached::Server;
  if (probe.tls) return Reached::Handshake;
  return connected ? Reached::Connection : Reached::Nothing;
}

}  // namespace

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Lookup look_up(const std::string &host, std::int64_t timeout_ms) {
  struct Shared {
    std::mutex mutex;
    std::condition_variable done;
    bool finished = false;
    int error = 0;
    std::vector<std::string> addresses;
  };
  const auto shared = std::make_shared<Shared>();
  // Nothing ends a lookup that hangs: it is left behind.
  std::thread([shared, host] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    std::vector<std::string> addresses;
    for (const addrinfo *one = found; one != nullptr; one = one->ai_next) {
      std::array<char, NI_MAXHOST> text{};
      if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
        addresses.emplace_back(text.data());
      }
    }
    if (found != nullptr) ::freeaddrinfo(found);
    const std::lock_guard lock(shared->mutex);
    shared->finished = true;
    shared->error = error;
    shared->addresses = std::move(addresses);
    shared->done.notify_one();
  }).detach();

  std::unique_lock lock(shared->mutex);
  if (!shared->done.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return shared->finished; })) {
    return {{}, false, "no answer within " + std::to_string(timeout_ms) + " ms"};
  }
  if (shared->error == 0) return {shared->addresses, false, ""};
  return {{}, shared->error == EAI_NONAME || shared->error == EAI_NODATA, ::gai_strerror(shared->error)};
}

Probe probe(const std::string &url, const HttpSettings &settings, const std::string &pins, const net::Trust &trust, const net::Proxy &proxy,
            const Patience &patience) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owner(curl_easy_init(), curl_easy_cleanup);
  CURL *handle = owner.get();
  if (handle == nullptr) throw std::bad_alloc();
  Sight sight{trust, url.starts_with("http://")};
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, settings.allow_http ? "https,http" : "https");
  curl_easy_setopt(handle, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(patience.connect_ms));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(patience.attempt_ms));
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, note_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &sight);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &sight);
  curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, note_ready);
  curl_easy_setopt(handle, CURLOPT_PREREQDATA, &sight);
  set_proxy(handle, proxy, url);
  curl_easy_setopt(handle, CURLOPT_HTTPPROXYTUNNEL, 1L);
  curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set_tls(handle, watch_context, &sight);
  if (!pins.empty()) curl_easy_setopt(handle, CURLOPT_PINNEDPUBLICKEY, pins.c_str());

  Probe result;
  result.code = curl_easy_perform(handle);
  result.detail = detail.data();
  result.error_number = static_cast<int>(info<long>(handle, CURLINFO_OS_ERRNO));
  result.address = address_of(handle);
  const auto connected_us = info<curl_off_t>(handle, CURLINFO_CONNECT_TIME_T);
  result.connect_ms = std::max<std::int64_t>(0, connected_us - info<curl_off_t>(handle, CURLINFO_NAMELOOKUP_TIME_T)) / 1000;
  result.address_refused = sight.address_refused;
  result.proxy_status = info<long>(handle, CURLINFO_HTTP_CONNECTCODE);
  const bool https_proxy = goes_through(proxy, url) && proxy.url.view().starts_with("https://");
  if (https_proxy && !sight.handshakes.empty()) {
    result.proxy_tls = std::move(sight.handshakes.front());
    sight.handshakes.erase(sight.handshakes.begin());
  }
  if (!sight.handshakes.empty()) result.tls = std::move(sight.handshakes.front());
  result.reached = reached(result, sight, connected_us > 0 || result.proxy_status != 0 || result.proxy_tls);
  if (result.reached != Reached::Answer) return result;
  result.status = info<long>(handle, CURLINFO_RESPONSE_CODE);
  const auto took_us = info<curl_off_t>(handle, CURLINFO_TOTAL_TIME_T) - info<curl_off_t>(handle, CURLINFO_PRETRANSFER_TIME_T);
  result.clock = read_clock(sight, took_us / 1000);
  return result;
}

}  // namespace fleetauth::command
