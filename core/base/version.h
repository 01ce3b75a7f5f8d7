#pragma once

#include <string_view>

namespace fleetauth {

// "1.2.3": the version of this library.
std::string_view version() noexcept;

// The versions of the libraries compiled in, as "name/version" separated by blanks: "curl/7.88.1-10 simdjson/3.0.1-1 ...".
std::string_view linked_versions() noexcept;

} // namespace fleetauth
