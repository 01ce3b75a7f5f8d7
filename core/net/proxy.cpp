#include "core/net/proxy.h"

#include <curl/curl.h>

#include <initializer_list>
#include <memory>
#include <new>
#include <utility>

#include "core/base/os/process.h"
#include "core/base/redact.h"

namespace fleetauth::net {
namespace {

struct Variable {
  const char *name = "";
  std::string_view value;
};

Variable first_of_environment(std::initializer_list<const char *> names) {
  for (const char *name : names) {
    const char *value = os::environment(name);
    if (value != nullptr && *value != '\0') return {name, value};
  }
  return {};
}

std::string part(CURLU *url, CURLUPart which) {
  char *text = nullptr;
  const CURLUcode code = curl_url_get(url, which, &text, 0);
  if (code == CURLUE_OUT_OF_MEMORY) throw std::bad_alloc();
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, curl_free);
  return code == CURLUE_OK ? text : "";
}

Result<Proxy> check(std::string_view url, std::string source) {
  Proxy proxy;
  proxy.source = std::move(source);
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  // "host:port" is customary and means http.
  if (url.find("://") == std::string_view::npos) proxy.url.append("http://");
  proxy.url.append(url);
  const bool valid = curl_url_set(parsed.get(), CURLUPART_URL, proxy.url.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  const std::string scheme = part(parsed.get(), CURLUPART_SCHEME);
  if (!valid || (scheme != "http" && scheme != "https" && scheme != "socks5h")) {
    return fail(Status::Config, "the proxy of " + proxy.source +
                                    " is not a URL such as http://proxy.example:3128 (http, https or socks5h), \"env\" or \"none\"");
  }
  const std::string port = part(parsed.get(), CURLUPART_PORT);
  proxy.printable = redact::printable(scheme + "://" + part(parsed.get(), CURLUPART_HOST) + (port.empty() ? "" : ":" + port));
  return proxy;
}

}  // namespace

Result<Proxy> choose_proxy(std::string_view setting) {
  constexpr const char *kOption = "the option proxy";
  Proxy none;
  none.source = kOption;
  if (setting.empty() || setting == "none") return none;
  if (setting != "env") return check(setting, kOption);
  const Variable set = first_of_environment({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  if (set.value.empty()) return Proxy();
  auto proxy = check(set.value, std::string("the environment variable ") + set.name);
  if (!proxy) return proxy;
  const Variable bypass = first_of_environment({"no_proxy", "NO_PROXY"});
  proxy->bypass = bypass.value;
  proxy->bypass_source = bypass.name;
  return proxy;
}

}  // namespace fleetauth::net
