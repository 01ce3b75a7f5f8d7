#include "core/net/proxy.h"

#include <curl/curl.h>

#include <initializer_list>
#include <memory>

#include "core/base/os/process.h"
#include "core/base/redact.h"

namespace fleetauth::net {
namespace {

std::string first_of_environment(std::initializer_list<const char *> names) {
  for (const char *name : names) {
    const char *value = os::environment(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

std::string part(CURLU *url, CURLUPart which) {
  char *text = nullptr;
  std::string copy = curl_url_get(url, which, &text, 0) == CURLUE_OK ? text : "";
  curl_free(text);
  return copy;
}

Result<Proxy> check(Proxy proxy, const char *origin_of_setting) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  // "host:port" is customary and means http.
  if (proxy.url.find("://") == std::string::npos) proxy.url.insert(0, "http://");
  const bool valid = curl_url_set(parsed.get(), CURLUPART_URL, proxy.url.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  const std::string scheme = part(parsed.get(), CURLUPART_SCHEME);
  if (!valid || (scheme != "http" && scheme != "https" && scheme != "socks5h")) {
    return fail(Status::Config, std::string("the proxy ") + origin_of_setting +
                                    " is not a URL such as http://proxy.example:3128 (http, https or socks5h), \"env\" or \"none\"");
  }
  const std::string port = part(parsed.get(), CURLUPART_PORT);
  proxy.printable = redact::printable(scheme + "://" + part(parsed.get(), CURLUPART_HOST) + (port.empty() ? "" : ":" + port));
  return proxy;
}

}  // namespace

Result<Proxy> choose_proxy(const std::string &setting) {
  Proxy proxy;
  if (setting.empty() || setting == "none") return proxy;
  if (setting != "env") {
    proxy.url = setting;
    return check(std::move(proxy), "of the options");
  }
  proxy.url = first_of_environment({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  if (proxy.url.empty()) return proxy;
  proxy.bypass = first_of_environment({"no_proxy", "NO_PROXY"});
  return check(std::move(proxy), "of the environment (https_proxy or all_proxy)");
}

}  // namespace fleetauth::net
