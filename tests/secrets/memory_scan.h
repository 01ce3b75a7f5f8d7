#pragma once

#include <string>
#include <vector>

#include "tests/secrets/secret.h"

namespace secrets {

/// Where in this process a secret was found: the mapping and the place in it.
using Places = std::vector<std::string>;

/// Looks through all readable memory of the process, the stacks of its threads and freed heap blocks among it.
[[nodiscard]] Places find_in_memory(const Masked &secret);

/// Looks again until there are as many, for some seconds: the I/O thread may still be putting a request away when its outcome has been
/// taken.
[[nodiscard]] Places find_once_settled(const Masked &secret, std::size_t expected);

/// Where a file holds it.
[[nodiscard]] Places find_in_file(const Masked &secret, const std::string &path);

}  // namespace secrets
