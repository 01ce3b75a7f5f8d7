#include "base/version.h"

// Both are given by the build, which has the one place where they are written.
#if !defined(FLEETAUTH_VERSION) || !defined(FLEETAUTH_LINKED_VERSIONS)
#error "compile this file through core/CMakeLists.txt"
#endif

namespace fleetauth {

std::string_view version() noexcept { return FLEETAUTH_VERSION; }

std::string_view linked_versions() noexcept { return FLEETAUTH_LINKED_VERSIONS; }

} // namespace fleetauth
