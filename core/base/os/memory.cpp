#include "core/base/os/memory.h"

#include <malloc.h>
#include <string.h>

namespace fleetauth::os {

void wipe(void *memory, std::size_t size) noexcept {
  if (size != 0) explicit_bzero(memory, size);
}

void wipe_block(void *block) noexcept { wipe(block, block_size(block)); }

std::size_t block_size(void *block) noexcept { return malloc_usable_size(block); }

}  // namespace fleetauth::os
