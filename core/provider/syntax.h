#pragma once

#include <optional>
#include <string>
#include <string_view>

/// How names, paths and URLs in a descriptor are written. A check answers what is wrong, or nothing.
namespace fleetauth::provider::syntax {

using Complaint = std::optional<std::string>;

/// A name in a descriptor: a-z, digits and '_', a letter first, at most 64.
[[nodiscard]] Complaint check_name(std::string_view name);
/// An environment variable: A-Z, digits and '_', not a digit first.
[[nodiscard]] Complaint check_env(std::string_view name);
/// A JSON Pointer (RFC 6901) to a member, hence not empty.
[[nodiscard]] Complaint check_pointer(std::string_view pointer);
/// A header a descriptor may set: a legal name that is not the transport's own business.
[[nodiscard]] Complaint check_header_name(std::string_view name);
/// Literal text in a header: 0x20 to 0x7E.
[[nodiscard]] Complaint check_header_literal(std::string_view text);
/// A URL path without query; with `stars`, whole segments may be `*`.
[[nodiscard]] Complaint check_path(std::string_view path, bool stars);
/// scheme://host[:port][/prefix] in canonical spelling: lower case, no default port, no trailing slash. https, or http to a
/// loopback address with `loopback_http`.
[[nodiscard]] Complaint check_base_url(std::string_view url, bool loopback_http);

}  // namespace fleetauth::provider::syntax
