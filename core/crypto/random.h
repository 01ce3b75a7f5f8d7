#pragma once

#include <cstddef>
#include <cstdint>

namespace fleetauth::crypto {

/// Fills `out` from OpenSSL's generator, which seeds itself anew after a fork. Throws std::runtime_error when it has no entropy.
void random_bytes(void *out, std::size_t size);

/// A random number in [0, 1), for jitter.
[[nodiscard]] double random_fraction();

}  // namespace fleetauth::crypto
