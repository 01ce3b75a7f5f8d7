// One switch which ends every wait of the emulator.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

namespace fleetauth::emulator {

class Stopper {
 public:
  void stop();
  bool stopped() const;

  // Both return false when the emulator stops meanwhile.
  bool sleep_for(std::chrono::milliseconds time);
  // Waits until release(gate). A gate stays open once released, until close_gates().
  bool wait_at(const std::string &gate);

  void release(const std::string &gate);
  void close_gates();

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  std::set<std::string> open_gates_;
};

}  // namespace fleetauth::emulator
