#pragma once

namespace fleetauth::crypto {

/// Has OpenSSL, whose copy is the library's own, keep keys and what it computes with out of core files. Before anything else is asked of
/// it: in a program that has used this copy already, nothing changes.
void hide_openssl_memory();

}  // namespace fleetauth::crypto
