// Finds the provider and the route of a request, applies faults, and keeps the log.
#pragma once

#include <memory>
#include <vector>

#include "provider.h"

namespace fleetauth::emulator {

class Dispatcher {
 public:
  Dispatcher(World &world, const std::vector<std::unique_ptr<Provider>> &providers) : world_(world), providers_(providers) {}

  Response serve(Request &request) const;

 private:
  Provider *provider_of(const std::string &path) const;

  World &world_;
  const std::vector<std::unique_ptr<Provider>> &providers_;
};

}  // namespace fleetauth::emulator
