#include "core/base/version.h"

#include "core/base/build_info.h"

namespace fleetauth {

std::string_view version() noexcept { return FLEETAUTH_VERSION; }

std::string_view linked_versions() noexcept { return FLEETAUTH_LINKED_VERSIONS; }

}  // namespace fleetauth
