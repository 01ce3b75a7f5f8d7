#include "core/base/error.h"

namespace fleetauth {

ErrorPtr fail(Status status, std::string message) {
  Error error;
  error.status = status;
  error.message = std::move(message);
  return fail(std::move(error));
}

ErrorPtr fail(Error error) { return std::make_shared<const Error>(std::move(error)); }

}  // namespace fleetauth
