#pragma once

#include "core/base/os/descriptor.h"

namespace fleetauth::os {

/// A socket that is closed on exec; on failure -1, with the reason in `no_descriptors`: true when the process or the machine has none left.
[[nodiscard]] int open_socket(int family, int type, int protocol, bool &no_descriptors) noexcept;

/// Closes a descriptor by its number. In a fork's child this leaves the parent's connection alone.
void close_descriptor(int fd) noexcept;

}  // namespace fleetauth::os
