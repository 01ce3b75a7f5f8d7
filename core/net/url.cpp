#include "core/net/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>

#include "core/base/text.h"
#include "core/net/address.h"

namespace fleetauth::net {
namespace {

constexpr std::size_t kMaxUrl = 8192;
constexpr std::size_t kMaxHost = 253;
constexpr std::size_t kMaxLabel = 63;

ErrorPtr refuse(const char *why) { return fail(Status::Url, std::string("the URL is refused: ") + why); }

bool is_hex(char c) { return text::is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'f'); }

bool is_plain(char c) { return c > ' ' && c <= '~' && c != '\\' && c != '#'; }

// The parts as they are written.
struct Raw {
  std::string scheme;
  std::string_view host;  // with brackets
  std::string_view port;  // empty = none
  std::string_view path;  // may be empty
  bool has_port = false;
};

struct Host {
  std::string text;  // canonical, with brackets
  bool loopback = false;
};

const char *check_characters(std::string_view url) {
  if (url.empty()) return "it is empty";
  if (url.size() > kMaxUrl) return "it is longer than 8192 characters";
  for (const char c : url) {
    if (c == '#') return "it has a fragment (#...); leave that out";
    if (c == '\\') return "it has a backslash; write %5C";
    if (static_cast<unsigned char>(c) >= 0x80) return "it is not ASCII; write host names in their xn-- form and percent-encode the rest";
    if (!is_plain(c)) return "it has a space or control character; percent-encode it";
  }
  return nullptr;
}

const char *split(std::string_view url, Raw &raw) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return "it does not begin with https://";
  raw.scheme = text::lower(url.substr(0, colon));
  if (raw.scheme != "https" && raw.scheme != "http") return "its scheme is not https";
  url.remove_prefix(colon + 3);
  const std::string_view authority = url.substr(0, url.find_first_of("/?"));
  raw.path = url.substr(authority.size());
  raw.path = raw.path.substr(0, raw.path.find('?'));
  if (authority.find('@') != std::string_view::npos) return "it has a user name; give credentials as options";
  if (authority.empty()) return "it has no host";

  const std::size_t host_end = authority.front() == '[' ? authority.find(']') + 1 : authority.find(':');
  raw.host = authority.substr(0, host_end);
  if (raw.host.empty()) return "it has no host";  // also '[' without ']', where the sum above is 0
  const std::string_view rest = authority.substr(raw.host.size());
  if (rest.empty()) return nullptr;
  if (rest.front() != ':') return "there is something between its host and its port";
  raw.has_port = true;
  raw.port = rest.substr(1);
  return nullptr;
}

const char *check_port(const Raw &raw) {
  if (!raw.has_port) return nullptr;
  const bool digits = !raw.port.empty() && raw.port.size() <= 5 && std::all_of(raw.port.begin(), raw.port.end(), text::is_digit);
  if (!digits || raw.port.front() == '0' || std::stoul(std::string(raw.port)) > 65535) return "its port is not a number from 1 to 65535";
  return nullptr;
}

const char *check_address(const Address &address, Host &host) {
  if (address.is_link_local()) return "its host is a link-local address";
  if (address.is_no_host()) return "its host is not the address of one machine";
  host.text = address.is_ipv4() ? address.text() : "[" + address.text() + "]";
  host.loopback = address.is_loopback();
  return nullptr;
}

const char *check_label(std::string_view label) {
  if (label.empty()) return "its host name has an empty label or ends with a dot";
  if (label.size() > kMaxLabel) return "its host name has a label of more than 63 characters";
  const bool letters =
      std::all_of(label.begin(), label.end(), [](char c) { return text::is_digit(c) || (c >= 'a' && c <= 'z') || c == '-'; });
  if (!letters || label.front() == '-' || label.back() == '-')
    return "its host name has characters other than letters, digits and inner hyphens";
  return nullptr;
}

// Systems read a last label such as 127, 0x7f or 017 as a part of an address, so nothing that looks like a number may be a name.
bool looks_numeric(std::string_view label) {
  if (label.substr(0, 2) == "0x") return std::all_of(label.begin() + 2, label.end(), is_hex);
  return std::all_of(label.begin(), label.end(), text::is_digit);
}

const char *check_host(std::string_view written, Host &host) {
  if (written.front() == '[') {
    const auto address = Address::parse(written.substr(1, written.size() - 2));
    if (!address || address->is_ipv4()) return "its IPv6 address is not plainly written (no zone, no embedded IPv4)";
    return check_address(*address, host);
  }
  host.text = text::lower(written);
  if (const auto address = Address::parse(host.text)) return check_address(*address, host);
  if (host.text.size() > kMaxHost) return "its host name is longer than 253 characters";
  std::string_view rest = host.text;
  while (true) {
    const std::size_t dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    if (const char *why = check_label(label)) return why;
    if (dot == std::string_view::npos) {
      if (looks_numeric(label)) return "its IPv4 address is not plainly written (four decimal numbers)";
      break;
    }
    rest.remove_prefix(dot + 1);
  }
  host.loopback = host.text == "localhost";
  return nullptr;
}

// "." and ".." can be hidden from a parser by writing the dot or the slash next to it in hexadecimal.
bool hides_dot_segment(std::string_view path) {
  std::string decoded;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::string code = path[i] == '%' ? text::lower(path.substr(i, 3)) : std::string();
    const char plain = code == "%2e" ? '.' : code == "%2f" || code == "%5c" ? '/' : '\0';
    decoded.push_back(plain != '\0' ? plain : path[i]);
    if (plain != '\0') i += 2;
  }
  if (decoded.size() == path.size()) return false;  // nothing was hidden
  decoded.push_back('/');
  return decoded.find("/./") != std::string::npos || decoded.find("/../") != std::string::npos;
}

const char *check_path(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') continue;
    if (i + 2 >= path.size() || !is_hex(path[i + 1]) || !is_hex(path[i + 2]))
      return "its path has a % without two hexadecimal digits; write %25";
    if (path[i + 1] == '0' || path[i + 1] == '1' || text::lower(path.substr(i, 3)) == "%7f")
      return "its path has an encoded control character";
  }
  return hides_dot_segment(path) ? "its path hides a . or .. segment in percent signs" : nullptr;
}

using CurlUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string part(CURLU *url, CURLUPart which) {
  char *text = nullptr;
  const CURLUcode code = curl_url_get(url, which, &text, 0);
  if (code == CURLUE_OUT_OF_MEMORY) throw std::bad_alloc();
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, curl_free);
  return code == CURLUE_OK ? text : "";
}

}  // namespace

Result<Url> parse_url(std::string_view url, const UrlPolicy &policy) {
  Raw raw;
  Host host;
  const char *why = check_characters(url);
  if (why == nullptr) why = split(url, raw);
  if (why == nullptr) why = check_port(raw);
  if (why == nullptr) why = check_host(raw.host, host);
  if (why == nullptr) why = check_path(raw.path);
  if (why == nullptr && raw.scheme == "http" && !(policy.allow_loopback_http && host.loopback)) {
    why = host.loopback ? "http is only allowed to this machine, and only with the option allow_loopback_http"
                        : "it is http; only https is allowed";
  }
  if (why != nullptr) return refuse(why);

  // What will be requested is read by libcurl's parser. It must find the host that was checked here.
  const CurlUrl parsed(curl_url(), curl_url_cleanup);
  if (parsed == nullptr) throw std::bad_alloc();
  const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), CURLU_DISALLOW_USER);
  if (code == CURLUE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code != CURLUE_OK) return refuse(curl_url_strerror(code));
  const std::string curl_host = text::lower(part(parsed.get(), CURLUPART_HOST));
  const auto curl_address =
      curl_host.front() == '[' ? Address::parse(std::string_view(curl_host).substr(1, curl_host.size() - 2)) : std::nullopt;
  if ((curl_address ? "[" + curl_address->text() + "]" : curl_host) != host.text)
    return refuse("its host can be read in more than one way");

  Url result;
  const std::string_view default_port = raw.scheme == "https" ? "443" : "80";
  result.origin = raw.scheme + "://" + host.text;
  if (raw.has_port && raw.port != default_port) result.origin += ":" + std::string(raw.port);
  result.path = part(parsed.get(), CURLUPART_PATH);
  result.query = part(parsed.get(), CURLUPART_QUERY);
  if (!result.query.empty()) result.query.insert(0, "?");
  return result;
}

bool split_plain(std::string_view url, std::string_view origin, std::string_view &path) {
  if (url.size() <= origin.size() || url.size() > kMaxUrl || url.substr(0, origin.size()) != origin) return false;
  const std::string_view rest = url.substr(origin.size());
  if (rest.front() != '/' || !std::all_of(rest.begin(), rest.end(), is_plain)) return false;
  const std::string_view found = rest.substr(0, rest.find('?'));
  if (found.find('%') != std::string_view::npos || found.find("/.") != std::string_view::npos) return false;
  path = found;
  return true;
}

}  // namespace fleetauth::net
