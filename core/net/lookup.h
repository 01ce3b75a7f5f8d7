#pragma once

#include <string_view>

namespace fleetauth::net {

/// Whether the last lookup of this host's name found that there is no such name; false when that is not known. libcurl says only that a
/// lookup failed. Any thread, no lock: lookups run on threads of libcurl's which nobody waits for.
[[nodiscard]] bool is_no_name(std::string_view host) noexcept;

/// Before a lookup of this host's name: what an earlier one found is no longer known.
void forget_lookup(std::string_view host) noexcept;

}  // namespace fleetauth::net
