// Runs each connection on a thread of its own, reusing idle threads.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fleetauth::emulator {

class ConnectionThreads final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> connection) override;
  // Runs what is queued, then joins all threads.
  void shutdown() override;

  // Further connections wait until one ends.
  static constexpr std::size_t max_threads = 1024;

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace fleetauth::emulator
