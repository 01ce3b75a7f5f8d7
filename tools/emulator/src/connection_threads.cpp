#include "connection_threads.h"

#include <system_error>

namespace fleetauth::emulator {

void ConnectionThreads::enqueue(std::function<void()> connection) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(connection));
  if (queue_.size() > idle_ && threads_.size() < max_threads) {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::system_error &) {
      // The system gives no more threads: the connection waits for one of those there are.
      if (threads_.empty()) throw;
    }
  }
  changed_.notify_one();
}

void ConnectionThreads::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    const auto connection = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    connection();
    lock.lock();
  }
}

void ConnectionThreads::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (std::thread &thread : threads_) thread.join();
}

}  // namespace fleetauth::emulator
