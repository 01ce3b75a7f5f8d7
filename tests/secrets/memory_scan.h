#pragma once

#include <string>
#include <vector>

#include "tests/secrets/secret.h"

namespace secrets {

/// Where in this process a secret was found: the mapping and the place in it.
using Places = std::vector<std::string>;

/// Looks through all readable memory of the process, the stacks of its threads and freed heap blocks among it.
[[nodiscard]] Places find_in_memory(const Masked &secret);

}  // namespace secrets
