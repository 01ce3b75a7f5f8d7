#pragma once

#include <string_view>

namespace fleetauth {

// "1.2.3": the version of this library. NUL-terminated.
std::string_view version() noexcept;

// The libraries compiled in, one "name version" a line. NUL-terminated.
std::string_view linked_versions() noexcept;

}  // namespace fleetauth
