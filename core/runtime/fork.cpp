#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <vector>

#include "core/base/os/hidden_memory.h"
#include "core/crypto/openssl_mutex.h"
#include "core/runtime/engine.h"
#include "core/token/read_lock.h"
#include "core/token/slabs.h"

// Around a fork every lock of the library is held, so that the child finds nothing half-done, neither here nor in libcurl and OpenSSL.
// None of them is held while something is waited for, so prepare is short. The child itself takes no lock and allocates nothing: it
// leaves marks.
namespace fleetauth::runtime {

namespace {

struct Registry {
  std::mutex mutex;
  std::vector<Engine *> engines;
};

Registry &registry() {
  static auto *instance = new Registry;  // never destroyed: forks may come after main
  return *instance;
}

void prepare() {
  shared_runtime_mutex().lock();
  first_use_mutex().lock();
  registry().mutex.lock();
  for (Engine *engine : registry().engines) engine->lock_for_fork();
  token::slabs_mutex().lock();
  token::lock_all_readers();
  crypto::openssl_mutex().lock();
}

void let_go() {
  crypto::openssl_mutex().unlock();
  token::unlock_all_readers();
  token::slabs_mutex().unlock();
  for (Engine *engine : registry().engines) engine->unlock_after_fork();
  registry().mutex.unlock();
  first_use_mutex().unlock();
  shared_runtime_mutex().unlock();
}

void child() {
  token::change_all_words();
  for (Engine *engine : registry().engines) engine->mark_forked();
  let_go();
}

}  // namespace

std::mutex &shared_runtime_mutex() {
  static auto *mutex = new std::mutex;
  return *mutex;
}

std::mutex &first_use_mutex() {
  static auto *mutex = new std::mutex;
  return *mutex;
}

void install_fork_handlers() {
  static std::atomic<bool> installed{false};
  if (installed) return;  // without the lock: a fork must not find it held
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (installed) return;
  if (!os::install_hidden_fork_handlers() || pthread_atfork(prepare, let_go, child) != 0) throw std::bad_alloc();
  installed = true;
}

void register_engine(Engine *engine) {
  const std::lock_guard lock(registry().mutex);
  registry().engines.push_back(engine);
}

void unregister_engine(Engine *engine) {
  const std::lock_guard lock(registry().mutex);
  std::erase(registry().engines, engine);
}

}  // namespace fleetauth::runtime
