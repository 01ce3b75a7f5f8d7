#pragma once

#include "core/base/error.h"

namespace fleetauth::crypto {

/// Prepares OpenSSL once per process, without its exit handler and its configuration file, and uses each part once: what
/// cannot work, or not keep secrets out of core files, fails here and not in the middle of a login. Thread-safe; later calls answer what
/// the first one found.
ErrorPtr initialise();

}  // namespace fleetauth::crypto
