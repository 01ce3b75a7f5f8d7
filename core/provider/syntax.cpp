#include "core/provider/syntax.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/redact.h"
#include "core/base/text.h"

namespace fleetauth::provider::syntax {
namespace {

using text::is_digit;

bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_hex(char c) { return is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'f'); }

// What net, not a descriptor, decides; Content-Type follows from the body's kind.
constexpr std::array<std::string_view, 16> kTransportHeaders{
    "host", "content-length", "content-type", "content-encoding", "transfer-encoding",   "accept-encoding",  "connection", "keep-alive",
    "te",   "trailer",        "upgrade",      "expect",           "proxy-authorization", "proxy-connection", "user-agent", "date"};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_decimal(std::string_view text, int max) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return false;
  int number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    number = number * 10 + (c - '0');
  }
  return number <= max;
}

bool is_ipv4(const std::vector<std::string_view> &labels) {
  return labels.size() == 4 && std::all_of(labels.begin(), labels.end(), [](std::string_view label) { return is_decimal(label, 255); });
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return is_small(c) || is_digit(c) || c == '-'; });
}

// A last label that begins with a digit is how odd spellings of addresses look (127.1, 0x7f.1): only the plain one passes.
bool is_host(std::string_view host) {
  if (host.size() > 253) return false;
  if (host.size() >= 4 && host.front() == '[' && host.back() == ']') {
    const std::string_view address = host.substr(1, host.size() - 2);
    return address.find(':') != std::string_view::npos &&
           std::all_of(address.begin(), address.end(), [](char c) { return (is_hex(c) && !is_capital(c)) || c == ':' || c == '.'; });
  }
  const auto labels = split(host, '.');
  if (!labels.back().empty() && is_digit(labels.back().front())) return is_ipv4(labels);
  return std::all_of(labels.begin(), labels.end(), is_label);
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || (host.substr(0, 4) == "127." && is_ipv4(split(host, '.')));
}

bool is_path_character(char c) {
  constexpr std::string_view kMarks = "-._~!$&'()+,;=:@";
  return is_digit(c) || is_small(c) || is_capital(c) || kMarks.find(c) != std::string_view::npos;
}

bool is_segment(std::string_view segment) {
  if (segment == "." || segment == "..") return false;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] == '%') {
      // Escapes of '.', '/' and '\' are read differently by different servers.
      if (i + 2 >= segment.size() || !is_hex(segment[i + 1]) || !is_hex(segment[i + 2]) || segment[i + 1] == '2' ||
          (segment[i + 1] == '5' && text::lower(segment[i + 2]) == 'c')) {
        return false;
      }
      i += 2;
    } else if (!is_path_character(segment[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

Complaint check_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= 64 && is_small(name.front()) &&
                    std::all_of(name.begin(), name.end(), [](char c) { return is_small(c) || is_digit(c) || c == '_'; });
  if (good) return {};
  return "a name has 1 to 64 characters of a-z, 0-9 and _, beginning with a letter";
}

Complaint check_env(std::string_view name) {
  const bool good = !name.empty() && !is_digit(name.front()) &&
                    std::all_of(name.begin(), name.end(), [](char c) { return is_capital(c) || is_digit(c) || c == '_'; });
  if (good) return {};
  return "an environment variable has characters of A-Z, 0-9 and _, not beginning with a digit";
}

Complaint check_pointer(std::string_view pointer) {
  if (pointer.empty() || pointer.front() != '/') return "must be a JSON Pointer such as \"/token\" or \"/error/code\"";
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '~' && (i + 1 == pointer.size() || (pointer[i + 1] != '0' && pointer[i + 1] != '1'))) {
      return "in a JSON Pointer ~ must be written ~0, and a / within a name ~1";
    }
  }
  return {};
}

Complaint check_header_name(std::string_view name) {
  if (!redact::is_header_name(name)) return "is not a legal header name";
  if (std::find(kTransportHeaders.begin(), kTransportHeaders.end(), text::lower(name)) != kTransportHeaders.end()) {
    return "is set by the library and cannot be set by a descriptor";
  }
  return {};
}

Complaint check_header_literal(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; })) return {};
  return "a header may only hold printable ASCII characters";
}

Complaint check_path(std::string_view path, bool stars) {
  if (path.empty() || path.front() != '/') return "must begin with \"/\"";
  const auto segments = split(path.substr(1), '/');
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].empty() && i + 1 != segments.size()) return "must not have an empty segment (\"//\")";
    if (stars && segments[i] == "*") continue;
    if (segments[i].find('*') != std::string_view::npos) {
      return stars ? "\"*\" must be a whole segment, as in \"/customer/*/jobs/\"" : "must not hold \"*\"";
    }
    if (!is_segment(segments[i])) return "must be a plain URL path: no query, fragment, dot segment, space, %2x or %5C";
  }
  return {};
}

Complaint check_base_url(std::string_view url, bool loopback_http) {
  const std::string expected =
      "must be written https://host[:port][/prefix] in lower case, without user name, query, default port and trailing slash";
  const bool https = url.substr(0, 8) == "https://";
  const bool http = url.substr(0, 7) == "http://";
  if (http && !loopback_http) return "must be https://; http would show the credentials to everybody on the way";
  if (!https && !http) return expected;
  std::string_view rest = url.substr(https ? 8 : 7);

  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view prefix = rest.substr(slash);
    if (prefix.back() == '/' || check_path(prefix, false)) return expected;
    rest = rest.substr(0, slash);
  }
  std::string_view host = rest;
  if (const std::size_t colon = rest.find(':', rest.find(']') == std::string_view::npos ? 0 : rest.find(']'));
      colon != std::string_view::npos) {
    const std::string_view port = rest.substr(colon + 1);
    host = rest.substr(0, colon);
    if (!is_decimal(port, 65535) || port == "0" || port == (https ? "443" : "80")) return expected;
  }
  if (!is_host(host)) return expected;
  if (http && !is_loopback(host)) return "must be https:// unless the host is a loopback address";
  return {};
}

}  // namespace fleetauth::provider::syntax
