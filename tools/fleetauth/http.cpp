#include "tools/fleetauth/http.h"

#include <algorithm>
#include <memory>
#include <new>

#include "core/net/trust.h"
#include "tools/fleetauth/proxy.h"

namespace fleetauth::command {

namespace {

constexpr std::size_t kMaxBody = 16U << 20U;
constexpr long kTimeoutSeconds = 60;

struct FreeHandle {
  void operator()(CURL *handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist *list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, FreeHandle>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList header_list(const HttpCall &call) {
  HeaderList list;
  for (const auto &[name, value] : call.headers) {
    curl_slist *longer = curl_slist_append(list.get(), (name + ": " + value).c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)list.release();  // NOLINT(bugprone-unused-return-value): it is part of the longer list now
    list.reset(longer);
  }
  return list;
}

std::size_t append(char *data, std::size_t size, std::size_t count, void *into) {
  auto &body = *static_cast<std::string *>(into);
  const std::size_t bytes = size * count;
  if (body.size() + bytes > kMaxBody) return 0;
  body.append(data, bytes);
  return bytes;
}

std::size_t note_date(char *data, std::size_t size, std::size_t count, void *into) {
  const std::string_view line(data, size * count);
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (const auto date = header_value(line, "Date"); date && std::all_of(date->begin(), date->end(), is_printable)) {
    *static_cast<std::string *>(into) = *date;
  }
  return line.size();
}

CURLcode set_up_context(CURL * /*handle*/, void *context, void *trust) {
  net::set_up_tls_context(static_cast<SSL_CTX *>(context), *static_cast<const net::Trust *>(trust));
  return CURLE_OK;
}

fleetauth_status status_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return FLEETAUTH_E_DNS;
    case CURLE_COULDNT_CONNECT:
      return FLEETAUTH_E_CONNECT;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return FLEETAUTH_E_PROXY;
    case CURLE_OPERATION_TIMEDOUT:
      return FLEETAUTH_E_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return FLEETAUTH_E_TLS;
    case CURLE_WRITE_ERROR:
      return FLEETAUTH_E_TOO_LARGE;
    default:
      return FLEETAUTH_E_NETWORK;
  }
}

[[noreturn]] void fail(CURLcode code) {
  const char *reason = code == CURLE_WRITE_ERROR ? "the answer is larger than 16 MiB" : curl_easy_strerror(code);
  throw LibraryError(status_of(code), std::string("the request failed: ") + reason);
}

}  // namespace

std::optional<std::string_view> header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':' || curl_strnequal(line.data(), name.data(), name.size()) == 0)
    return std::nullopt;
  line.remove_prefix(name.size() + 1);
  line = line.substr(0, line.find_last_not_of(" \t\r\n") + 1);
  return line.substr(std::min(line.size(), line.find_first_not_of(" \t")));
}

void set_tls(CURL *handle, curl_ssl_ctx_callback set_up, void *data) {
  for (const CURLoption version : {CURLOPT_SSLVERSION, CURLOPT_PROXY_SSLVERSION}) {
    curl_easy_setopt(handle, version, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  }
  curl_easy_setopt(handle, CURLOPT_SSL_CIPHER_LIST, net::kTlsCiphers);
  curl_easy_setopt(handle, CURLOPT_SSL_CTX_FUNCTION, set_up);
  curl_easy_setopt(handle, CURLOPT_SSL_CTX_DATA, data);
}

net::Trust load_trust(const HttpSettings &settings) {
  auto trust = net::load_trust(settings.ca_file, settings.ca_pem);
  if (!trust) throw LibraryError(static_cast<fleetauth_status>(trust.error()->status), trust.error()->message);
  return std::move(*trust);
}

HttpAnswer send(const HttpCall &call, const HttpSettings &settings) {
  const Easy handle(curl_easy_init());
  if (handle == nullptr) throw std::bad_alloc();
  const HeaderList headers = header_list(call);
  HttpAnswer answer;
  curl_easy_setopt(handle.get(), CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  if (call.body) {
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body->size()));
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, call.body->data());
  }
  curl_easy_setopt(handle.get(), CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (call.method == "HEAD") curl_easy_setopt(handle.get(), CURLOPT_NOBODY, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, settings.allow_http ? "https,http" : "https");
  curl_easy_setopt(handle.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(handle.get(), CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_HEADERFUNCTION, note_date);
  curl_easy_setopt(handle.get(), CURLOPT_HEADERDATA, &answer.date);
  set_proxy(handle.get(), choose_proxy(settings.proxy), call.url);
  net::Trust trust;
  if (!call.url.starts_with("http://")) {
    trust = load_trust(settings);
    set_tls(handle.get(), set_up_context, &trust);
  }
  const CURLcode code = curl_easy_perform(handle.get());
  if (code != CURLE_OK) fail(code);
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace fleetauth::command
