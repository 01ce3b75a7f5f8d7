#pragma once

#include <fleetauth/fleetauth.h>
#include <node_api.h>

#include <mutex>
#include <vector>

namespace fleetauth::node {

/// Wakes one environment's event loop when any of its queues has events. Everything but the wake-up itself runs on the
/// environment's thread.
///
/// One thread-safe function serves all queues. It carries no data, at most one of its calls is outstanding, and it is
/// released under the mutex that guards those calls, by a cleanup hook that was added after its own and so runs before it:
/// a library thread can never reach it once the environment is going away.
class Pump {
 public:
  /// `callback` is called without arguments on the event loop. Returns null with a JavaScript exception pending on failure.
  static Pump *start(napi_env env, napi_value callback);

  Pump(const Pump &) = delete;
  Pump &operator=(const Pump &) = delete;

  /// Has the queue wake this environment, and keeps a reference to it until unwatch() or the environment's end.
  fleetauth_status watch(fleetauth_queue *queue);
  void unwatch(fleetauth_queue *queue);

  /// Whether the event loop stays alive for what is still to come.
  void hold(napi_env env, bool on);

 private:
  Pump() = default;
  ~Pump() = default;

  static void wake(void *self);                                                    // any thread
  static void on_loop(napi_env env, napi_value callback, void *self, void *data);  // the environment's
  static void on_environment_end(void *self);
  static void on_function_gone(napi_env env, void *self, void *context);

  std::mutex mutex_;  // guards the two below; nothing but the thread-safe function's own lock is taken under it
  napi_threadsafe_function function_ = nullptr;
  bool pending_ = false;

  std::vector<fleetauth_queue *> queues_;
};

}  // namespace fleetauth::node
