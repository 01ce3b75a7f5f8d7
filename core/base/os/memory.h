#pragma once

#include <cstddef>

namespace fleetauth::os {

/// Overwrites memory in a way the compiler may not leave out.
void wipe(void *memory, std::size_t size) noexcept;

/// Overwrites a whole block of the heap, whatever size was asked for when it was allocated. Null is allowed.
void wipe_block(void *block) noexcept;

/// The room a block of the heap really has; 0 for null.
[[nodiscard]] std::size_t block_size(void *block) noexcept;

}  // namespace fleetauth::os
