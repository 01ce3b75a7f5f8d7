#pragma once

#include <cstddef>

namespace fleetauth::os {

/// Overwrites memory in a way the compiler may not leave out.
void wipe(void *memory, std::size_t size) noexcept;

/// Empties the vector registers, in which copies and parsers leave what they last had in hand: a thread that sleeps would keep it, and a
/// core file shows it. Elsewhere than on x86-64 and aarch64 it does nothing.
void wipe_registers() noexcept;

}  // namespace fleetauth::os
