#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/provider/descriptor.h"

namespace fleetauth::provider {

/// An error that begins with the provider's name.
inline Error error_of(const Descriptor &descriptor, Status status, const std::string &what) {
  Error error;
  error.status = status;
  error.provider = descriptor.name;
  error.message = descriptor.name + ": " + what;
  return error;
}

[[nodiscard]] inline ErrorPtr refusal(const Descriptor &descriptor, Status status, const std::string &what) {
  return fail(error_of(descriptor, status, what));
}

/// The same error, named as the provider's.
[[nodiscard]] inline ErrorPtr of_provider(const Descriptor &descriptor, const Error &error, const std::string &what = {}) {
  Error named = error;
  named.provider = descriptor.name;
  named.message = descriptor.name + ": " + what + error.message;
  return fail(std::move(named));
}

/// For names that the library or a descriptor chose.
inline std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

}  // namespace fleetauth::provider
