#pragma once

#include <string_view>

#include "core/base/secret_bytes.h"

namespace fleetauth {

/// Appends bytes with all but RFC 3986's unreserved characters as %XX: fit for a part of a path, a query and a form.
void append_percent(SecretBytes &out, std::string_view bytes);

}  // namespace fleetauth
