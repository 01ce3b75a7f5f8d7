#pragma once

#include <exception>
#include <string_view>

#include "tools/fleetauth/abi.h"

namespace fleetauth::command {

/// Tells a caught exception, on standard error, and answers what to exit with.
[[nodiscard]] int tell(const std::exception &error, bool json);

/// The exit status of a class of errors.
[[nodiscard]] int exit_status_of(const char *error_class);

/// The exit status of a status of the library, and the class that it is of.
[[nodiscard]] int exit_status_of(fleetauth_status status);
[[nodiscard]] std::string_view class_of(fleetauth_status status);

}  // namespace fleetauth::command
