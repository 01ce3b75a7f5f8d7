#pragma once

#include <exception>

namespace fleetauth::command {

/// Tells a caught exception, on standard error, and answers what to exit with.
[[nodiscard]] int tell(const std::exception &error, bool json);

/// The exit status of a class of errors.
[[nodiscard]] int exit_status_of(const char *error_class);

}  // namespace fleetauth::command
