#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/flow/machine.h"
#include "core/net/driver.h"
#include "core/runtime/engine.h"

namespace fleetauth::runtime {

class HostCall;

/// One fetch of a token: runs the flow's machine, sends its requests, repeats and bounds them, and tells everyone who waits.
/// Belongs to its source; no caller's patience ends it. Everything under the engine's mutex.
class Flight : public std::enable_shared_from_this<Flight> {
 public:
  Flight(Engine &engine, std::shared_ptr<TokenSource> source);
  ~Flight();
  Flight(const Flight &) = delete;
  Flight &operator=(const Flight &) = delete;

  void begin(std::int64_t delay_ms);
  void join(const std::shared_ptr<Operation> &operation);
  void on_outcome(net::Outcome outcome);
  /// Offers the host's call, unless somebody who may take it has it.
  void offer_call();
  void give_up(const ErrorPtr &error);

  /// True when it waits for an answer of the host that this very thread has taken upon it.
  [[nodiscard]] bool held_by_this_thread() const;
  /// The queues a responder call may be offered to, in order.
  [[nodiscard]] std::vector<QueueId> responders() const;

 private:
  void apply(flow::Effect effect);
  void send();
  void attempt_failed(const flow::HttpFailure &failure);
  bool repeat(const Error &error, flow::Sent sent);
  void attempt_timed_out(bool connecting);
  void fetch_timed_out();
  void end_attempt();
  [[nodiscard]] flow::Sent sent_state() const;
  [[nodiscard]] ErrorPtr timed_out(const std::string &what) const;
  void finish(const ErrorPtr &error, flow::Grant *grant);

  Engine &engine_;
  std::shared_ptr<TokenSource> source_;
  std::unique_ptr<flow::Machine> machine_;
  std::vector<std::shared_ptr<Operation>> waiters_;

  std::shared_ptr<const flow::HttpRequest> request_;
  int attempt_ = 0;
  std::uint64_t exchange_ = 0;  ///< 0: nothing is on its way
  std::shared_ptr<HostCall> host_call_;
  Timers::Id connect_deadline_;
  Timers::Id attempt_deadline_;
  Timers::Id total_deadline_;
  Timers::Id pause_;
  BootMs deadline_ = 0;  ///< of the whole fetch
};

}  // namespace fleetauth::runtime
