#pragma once

#include <fleetauth/fleetauth.h>
#include <napi.h>

#include <array>
#include <cstddef>

#include "bindings/napi/gen/flat.gen.h"

namespace fleetauth::node {

class Pump;

/// What one JavaScript environment (the main thread or a worker) has of its own.
struct Environment {
  std::array<Napi::FunctionReference, kHandleCount> classes;  ///< by Traits<T>::kIndex
  Napi::FunctionReference error_factory;                      ///< makes what is thrown from a status and an error
  Pump *pump = nullptr;                                       ///< owned by the environment's thread-safe function

  static Environment &of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

}  // namespace fleetauth::node
