#pragma once

#include <mutex>

namespace fleetauth::crypto {

/// Held around every call of this layer into OpenSSL, and by the fork handlers: a child must not inherit one of OpenSSL's own locks
/// from a thread that does not exist in it. A leaf.
std::mutex &openssl_mutex();

}  // namespace fleetauth::crypto
