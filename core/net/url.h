#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace fleetauth::net {

/// A URL that passed the policy, in canonical parts.
struct Url {
  std::string origin;  ///< scheme://host[:port], lower case, default port left out
  std::string path;    ///< begins with '/', dot segments removed
  std::string query;   ///< with its '?', or empty
};

struct UrlPolicy {
  bool allow_loopback_http = false;  ///< http:// to 127.0.0.0/8, [::1] and localhost
};

/// Takes a URL apart with libcurl's parser and applies the policy: https, no user name, no fragment, no control or
/// space, ASCII host, plainly written addresses. The error is E_URL and says which rule was broken; it never quotes a query.
Result<Url> parse_url(std::string_view url, const UrlPolicy &policy);

/// True when `url` begins byte for byte with the canonical `origin` + "/" and holds nothing a parser could read differently
/// (no "/." or '%' in the path; no '\\', '#', space, control or non-ASCII byte anywhere): then `path` is what stands
/// between the origin and '?'. Whatever it accepts, parse_url accepts too and takes apart in the same way.
bool split_plain(std::string_view url, std::string_view origin, std::string_view &path);

}  // namespace fleetauth::net
