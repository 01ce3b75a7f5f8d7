#pragma once

#include <csignal>

namespace fleetauth::test {

/// While it lives, SIGALRM comes to this process a thousand times a second and interrupts what waits: its handler is without SA_RESTART.
class SignalStorm {
 public:
  SignalStorm();
  ~SignalStorm();
  SignalStorm(const SignalStorm &) = delete;
  SignalStorm &operator=(const SignalStorm &) = delete;

  /// Signals so far.
  [[nodiscard]] static int count();

 private:
  struct sigaction before_ {};
};

}  // namespace fleetauth::test
