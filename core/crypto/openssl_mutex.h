#pragma once

#include <mutex>

namespace fleetauth::crypto {

/// Held around every call of this layer into OpenSSL, and by the fork handlers: a child must not inherit one of OpenSSL's own locks
/// from a thread that does not exist in it. A leaf.
std::mutex &openssl_mutex();

/// Has OpenSSL, whose copy is the library's own, keep keys and what it computes with out of core files. Before anything else is asked of
/// it: in a program that has used this copy already, nothing changes.
void hide_openssl_memory();

}  // namespace fleetauth::crypto
