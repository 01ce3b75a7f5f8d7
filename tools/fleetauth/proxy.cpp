#include "tools/fleetauth/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "tools/fleetauth/console.h"

namespace fleetauth::command {

namespace {

std::string origin(const std::string &url, unsigned flags) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) return "";
  const auto part = [&](CURLUPart which) {
    char *text = nullptr;
    std::string copy = curl_url_get(parsed.get(), which, &text, flags) == CURLUE_OK ? text : "";
    curl_free(text);
    return copy;
  };
  const std::string port = part(CURLUPART_PORT);
  return part(CURLUPART_SCHEME) + "://" + part(CURLUPART_HOST) + (port.empty() ? "" : ":" + port);
}

constexpr const char *kPretendedProxy = "192.0.2.1";  // of a net that is kept for documentation
constexpr const char *kPretendedServer = "192.0.2.2";

/// Refuses every connection, and notes one to the pretended proxy.
curl_socket_t note_address(void *to_proxy, curlsocktype /*purpose*/, curl_sockaddr *address) {
  in_addr pretended{};
  ::inet_pton(AF_INET, kPretendedProxy, &pretended);
  if (address->family == AF_INET) {
    const auto *ipv4 = reinterpret_cast<const sockaddr_in *>(&address->addr);
    if (ipv4->sin_addr.s_addr == pretended.s_addr) *static_cast<bool *>(to_proxy) = true;
  }
  return CURL_SOCKET_BAD;
}

std::string host_and_port(const std::string &url) {
  std::string origin = origin_of(url);
  return origin.substr(std::min(origin.size(), origin.find("//") + 2));
}

}  // namespace

net::Proxy choose_proxy(const std::string &setting) {
  auto proxy = net::choose_proxy(setting);
  if (!proxy) throw SetupError(proxy.error()->message);
  return std::move(*proxy);
}

void set_proxy(CURL *handle, const net::Proxy &proxy, const std::string &url) {
  // An empty text keeps libcurl from looking into the environment.
  curl_easy_setopt(handle, CURLOPT_PROXY, url.starts_with("http://") ? "" : proxy.url.c_str());
  curl_easy_setopt(handle, CURLOPT_NOPROXY, proxy.bypass.c_str());
}

bool goes_through(const net::Proxy &proxy, const std::string &url) {
  if (proxy.url.empty() || url.starts_with("http://")) return false;
  if (proxy.bypass.empty()) return true;
  // Only libcurl knows how it reads no_proxy: where it would connect to tells.
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(), curl_easy_cleanup);
  const std::string entry = host_and_port(url) + ":" + kPretendedServer;
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> names(curl_slist_append(nullptr, entry.c_str()), curl_slist_free_all);
  bool to_proxy = false;
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_RESOLVE, names.get());
  curl_easy_setopt(handle.get(), CURLOPT_PROXY, (std::string("http://") + kPretendedProxy + ":9").c_str());
  curl_easy_setopt(handle.get(), CURLOPT_NOPROXY, proxy.bypass.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_OPENSOCKETFUNCTION, note_address);
  curl_easy_setopt(handle.get(), CURLOPT_OPENSOCKETDATA, &to_proxy);
  (void)curl_easy_perform(handle.get());
  return to_proxy;
}

std::string origin_of(const std::string &url) { return origin(url, CURLU_DEFAULT_PORT); }

std::string origin_of(const net::Proxy &proxy) {
  const std::string &without_default = proxy.printable;
  return without_default.rfind(':') == without_default.find("://")
             ? without_default + (proxy.url.view().starts_with("https://") ? ":443" : ":1080")
             : without_default;
}

}  // namespace fleetauth::command
