#pragma once

#include <cstddef>

/// A heap whose pages are left out of core files, for secrets and for what computes with them. Any thread, and across forks.
namespace fleetauth::os {

/// `size` bytes, aligned for everything; null when there is no memory.
[[nodiscard]] void *allocate_hidden(std::size_t size) noexcept;

/// As realloc. What the block held stays where it was when it has to move: not for secrets that nobody else wipes.
[[nodiscard]] void *reallocate_hidden(void *block, std::size_t size) noexcept;

/// Null is allowed. The bytes stay until the room is used again: wipe secrets before.
void free_hidden(void *block) noexcept;

/// The room that a block has, at least what was asked for.
[[nodiscard]] std::size_t hidden_size(void *block) noexcept;

/// Registers the heap's fork handlers, so that its lock, which is a leaf, is taken after those whose handlers are registered later. False
/// when there is no memory for them: then a later call tries again.
[[nodiscard]] bool install_hidden_fork_handlers() noexcept;

}  // namespace fleetauth::os
