#pragma once

#include <cstddef>
#include <string>

#include "core/base/error.h"
#include "core/base/secret_bytes.h"

namespace fleetauth::os {

/// The bytes of a file, at most `max_size`. E_CONFIG names the path and says why it cannot be read. Blocks.
[[nodiscard]] Result<SecretBytes> read_file(const std::string &path, std::size_t max_size);

}  // namespace fleetauth::os
