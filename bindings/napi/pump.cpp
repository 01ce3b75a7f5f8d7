#include "bindings/napi/pump.h"

#include <algorithm>

namespace fleetauth::node {

Pump *Pump::start(napi_env env, napi_value callback) {
  napi_value name = nullptr;
  if (napi_create_string_utf8(env, "fleetauth", NAPI_AUTO_LENGTH, &name) != napi_ok) return nullptr;
  auto *pump = new Pump;
  napi_threadsafe_function function = nullptr;
  if (napi_create_threadsafe_function(env, callback, nullptr, name, 0, 1, pump, on_function_gone, pump, on_loop, &function) != napi_ok) {
    delete pump;
    return nullptr;
  }
  napi_unref_threadsafe_function(env, function);
  pump->function_ = function;
  if (napi_add_env_cleanup_hook(env, on_environment_end, pump) != napi_ok) {
    on_environment_end(pump);
    return nullptr;
  }
  return pump;
}

fleetauth_status Pump::watch(fleetauth_queue *queue) {
  queues_.push_back(fleetauth_queue_ref(queue));
  const fleetauth_status status = fleetauth_queue_set_wakeup(queue, wake, this);
  if (status != FLEETAUTH_OK) unwatch(queue);
  return status;
}

void Pump::unwatch(fleetauth_queue *queue) {
  const auto found = std::find(queues_.begin(), queues_.end(), queue);
  if (found == queues_.end()) return;
  queues_.erase(found);
  fleetauth_queue_set_wakeup(queue, nullptr, nullptr);
  fleetauth_queue_unref(queue);
}

void Pump::hold(napi_env env, bool on) {
  if (on) {
    napi_ref_threadsafe_function(env, function_);
  } else {
    napi_unref_threadsafe_function(env, function_);
  }
}

void Pump::wake(void *self) {
  auto *pump = static_cast<Pump *>(self);
  const std::lock_guard lock(pump->mutex_);
  if (pump->function_ == nullptr || pump->pending_) return;
  pump->pending_ = napi_call_threadsafe_function(pump->function_, nullptr, napi_tsfn_nonblocking) == napi_ok;
}

void Pump::on_loop(napi_env env, napi_value callback, void *self, void * /*data*/) {
  if (env == nullptr || callback == nullptr) return;  // the environment is being taken down; `self` may be gone
  auto *pump = static_cast<Pump *>(self);
  {
    const std::lock_guard lock(pump->mutex_);
    pump->pending_ = false;
  }
  napi_value global = nullptr;
  if (napi_get_global(env, &global) == napi_ok) napi_call_function(env, global, callback, 0, nullptr, nullptr);
}

void Pump::on_environment_end(void *self) {
  auto *pump = static_cast<Pump *>(self);
  // Without our mutex: the library may hold a lock of its own while it waits for it in wake().
  while (!pump->queues_.empty()) pump->unwatch(pump->queues_.back());
  napi_threadsafe_function function = nullptr;
  {
    const std::lock_guard lock(pump->mutex_);
    std::swap(function, pump->function_);
  }
  napi_release_threadsafe_function(function, napi_tsfn_abort);  // its finaliser deletes the pump
}

void Pump::on_function_gone(napi_env /*env*/, void *self, void * /*context*/) { delete static_cast<Pump *>(self); }

}  // namespace fleetauth::node
