#include "stopper.h"

namespace fleetauth::emulator {

void Stopper::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

bool Stopper::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

bool Stopper::sleep_for(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return stopped_; });
  return !stopped_;
}

bool Stopper::wait_at(const std::string &gate) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || open_gates_.contains(gate); });
  return !stopped_;
}

void Stopper::release(const std::string &gate) {
  const std::lock_guard lock(mutex_);
  open_gates_.insert(gate);
  changed_.notify_all();
}

void Stopper::close_gates() {
  const std::lock_guard lock(mutex_);
  open_gates_.clear();
}

}  // namespace fleetauth::emulator
