#pragma once

#include <cstddef>

namespace fleetauth::os {

/// Overwrites memory in a way the compiler may not leave out.
void wipe(void *memory, std::size_t size) noexcept;

/// Overwrites a whole block that malloc gave, whatever size was asked for. Null is allowed.
void wipe_block(void *block) noexcept;

/// The room that a block from malloc really has; 0 for null.
[[nodiscard]] std::size_t block_size(void *block) noexcept;

}  // namespace fleetauth::os
