#pragma once

#include <csignal>

namespace fleetauth::os {

/// An environment variable; null when it is unset, or when the process runs with raised privileges and must not trust it.
[[nodiscard]] const char *environment(const char *name) noexcept;

/// Names the calling thread, at most 15 characters.
void name_thread(const char *name) noexcept;

/// Blocks every signal but the synchronous ones while it lives: threads that are started meanwhile never run a host's handlers.
class SignalBlock {
 public:
  SignalBlock() noexcept;
  ~SignalBlock();
  SignalBlock(const SignalBlock &) = delete;
  SignalBlock &operator=(const SignalBlock &) = delete;

 private:
  sigset_t previous_;
};

/// Puts off the cancellation of the calling thread (pthread_cancel) while it lives: unwinding through noexcept functions ends the process.
class CancellationBlock {
 public:
  CancellationBlock() noexcept;
  ~CancellationBlock();
  CancellationBlock(const CancellationBlock &) = delete;
  CancellationBlock &operator=(const CancellationBlock &) = delete;

 private:
  int previous_ = 0;
};

}  // namespace fleetauth::os
