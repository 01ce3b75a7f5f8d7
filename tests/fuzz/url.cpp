// What the policy lets pass is read by libcurl's own parser in exactly the parts we authorise by, and the fast path agrees with the policy.
// Input: one byte of switches, then a URL, or what follows a host that is the provider's.
#include <curl/curl.h>

#include <memory>
#include <string>

#include "core/net/url.h"
#include "tests/fuzz/input.h"

using namespace fleetauth;
using fuzz::require;

namespace {

class CurlParts {
 public:
  explicit CurlParts(const std::string &url) : handle_(curl_url(), curl_url_cleanup) {
    accepted_ = curl_url_set(handle_.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  }
  [[nodiscard]] bool accepted() const { return accepted_; }
  [[nodiscard]] std::string part(CURLUPart which, unsigned int flags = 0) const {
    char *text = nullptr;
    if (curl_url_get(handle_.get(), which, &text, flags) != CURLUE_OK) return {};
    const std::string copy = text;
    curl_free(text);
    return copy;
  }

 private:
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> handle_;
  bool accepted_ = false;
};

void check_parsed(const std::string &url, const net::Url &parsed, const net::UrlPolicy &policy) {
  require(parsed.origin.starts_with("https://") || (policy.allow_loopback_http && parsed.origin.starts_with("http://")),
          "the scheme is https");
  require(parsed.path.starts_with("/"), "the path begins with a slash");

  const std::string canonical = parsed.origin + parsed.path + parsed.query;
  const auto again = net::parse_url(canonical, policy);
  require(static_cast<bool>(again), "the canonical text is accepted");
  require(again->origin == parsed.origin && again->path == parsed.path && again->query == parsed.query, "the canonical text is its own");

  const CurlParts theirs(url);
  const CurlParts ours(canonical);
  require(theirs.accepted() && ours.accepted(), "libcurl takes it too");
  for (const CURLUPart part : {CURLUPART_PATH, CURLUPART_QUERY, CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT}) {
    require(theirs.part(part) == ours.part(part), "libcurl reads the same in both spellings");
  }
  require(theirs.part(CURLUPART_USER).empty() && theirs.part(CURLUPART_PASSWORD).empty(), "there is no user name");
  require(theirs.part(CURLUPART_PORT, CURLU_DEFAULT_PORT) == ours.part(CURLUPART_PORT, CURLU_DEFAULT_PORT),
          "libcurl connects to the same port");
  require(ours.part(CURLUPART_PATH) == parsed.path, "libcurl asks for the path that was authorised");
}

void check_plain(const std::string &url, const std::string &origin) {
  std::string_view path;
  if (!net::split_plain(url, origin, path)) return;
  const auto parsed = net::parse_url(url, {});
  require(static_cast<bool>(parsed), "what the fast path takes is accepted");
  require(parsed->origin == origin, "the fast path finds the same origin");
  require(parsed->path == path, "the fast path finds the same path");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  constexpr const char *kOrigins[] = {"https://api.example.com", "https://127.0.0.1:8443", "https://[::1]", "https://localhost"};
  fuzz::Input input(data, size);
  const std::uint8_t switches = input.byte();
  const std::string origin = kOrigins[(switches >> 2U) % std::size(kOrigins)];
  std::string url((switches & 1U) != 0 ? origin : "");
  url += input.all();

  check_plain(url, origin);
  const net::UrlPolicy policy{.allow_loopback_http = (switches & 2U) != 0};
  if (const auto parsed = net::parse_url(url, policy)) {
    check_parsed(url, *parsed, policy);
    if (parsed->origin.starts_with("https://")) check_plain(url, parsed->origin);
  } else {
    require(parsed.error()->status == Status::Url && fuzz::is_printable(parsed.error()->message), "a refusal is an E_URL in plain words");
  }
  return 0;
}
