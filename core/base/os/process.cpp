#include "core/base/os/process.h"

#include <pthread.h>

#include <cstdlib>
#include <initializer_list>

namespace fleetauth::os {

const char *environment(const char *name) noexcept { return secure_getenv(name); }

void name_thread(const char *name) noexcept { pthread_setname_np(pthread_self(), name); }

SignalBlock::SignalBlock() noexcept {
  sigset_t all;
  sigfillset(&all);
  for (const int synchronous : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&all, synchronous);
  pthread_sigmask(SIG_BLOCK, &all, &previous_);
}

SignalBlock::~SignalBlock() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

#if defined(__BIONIC__)  // which has no cancellation
CancellationBlock::CancellationBlock() noexcept = default;
CancellationBlock::~CancellationBlock() = default;
#else
CancellationBlock::CancellationBlock() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &previous_); }
CancellationBlock::~CancellationBlock() { pthread_setcancelstate(previous_, nullptr); }
#endif

}  // namespace fleetauth::os
