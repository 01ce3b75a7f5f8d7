#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/flow/machine.h"
#include "core/net/driver.h"
#include "core/runtime/engine.h"
#include "core/runtime/waiter.h"

namespace fleetauth::runtime {

class HostCall;

/// What a flight came to: any effect but SendRequest and Sign.
struct Landing {
  flow::Effect effect;
  bool refresh_token_is_dead = false;
  bool one_shot = false;  ///< the last request sent a password or a code, of which providers count how many are wrong
  std::vector<std::shared_ptr<Waiter>> waiters;  ///< those who joined
};

/// Whom a flight works for.
class FlightOwner {
 public:
  FlightOwner() = default;
  virtual ~FlightOwner() = default;
  FlightOwner(const FlightOwner &) = delete;
  FlightOwner &operator=(const FlightOwner &) = delete;
  [[nodiscard]] virtual const Setup &setup() const = 0;
  /// Queues that take the host's calls when no waiter's does.
  [[nodiscard]] virtual const std::vector<QueueId> &servers() const = 0;
  /// What names its login to the guard; null when it has none.
  [[nodiscard]] virtual const std::string *login_name() const { return nullptr; }
  virtual void landed(Landing landing) = 0;
};

/// One errand at the provider: runs the flow's machine, sends its requests, has its tokens signed, repeats and bounds that. Belongs to its
/// owner; no caller's patience ends it. Everything under the engine's mutex.
class Flight : public std::enable_shared_from_this<Flight> {
 public:
  /// `waiter` joins at once; null when nobody waits.
  Flight(Engine &engine, std::shared_ptr<FlightOwner> owner, std::unique_ptr<flow::Machine> machine, const std::shared_ptr<Waiter> &waiter);
  ~Flight();
  Flight(const Flight &) = delete;
  Flight &operator=(const Flight &) = delete;

  // Without memory it ends, and who waits for it is told.
  void begin(std::int64_t delay_ms);
  void on_outcome(Engine::Outcome outcome);
  void join(const std::shared_ptr<Waiter> &waiter);
  /// Offers the host's call, unless somebody who may take it has it.
  void offer_call();
  void give_up(const ErrorPtr &error);

  /// True when it waits for an answer of the host that this very thread has taken upon it.
  [[nodiscard]] bool held_by_this_thread() const;
  /// The queues a responder call may be offered to, in order.
  [[nodiscard]] std::vector<QueueId> responders() const;

 private:
  template <class Step>
  void guarded(Step step);
  std::function<void()> step(void (Flight::*what)());
  void start();
  void handle(Engine::Outcome &outcome);
  [[nodiscard]] flow::Now now() const { return engine_.now(owner_->setup().digest); }
  flow::Effect read(const flow::HttpResponse &response);
  void apply(flow::Effect effect);
  void depart();
  void resume();
  void attempt();
  /// The login whose password or code the request holds; null when it holds none.
  [[nodiscard]] const std::string *login_sent() const;
  [[nodiscard]] bool waits_for_its_turn() const { return request_ != nullptr && exchange_ == 0 && !pause_; }
  ErrorPtr send();
  ErrorPtr sign();
  void give_departure_back() noexcept;
  void wait_until(BootMs when, void (Flight::*what)());
  /// The pace that the request's step is to keep; null for none.
  [[nodiscard]] net::Pace *pace() const;
  void attempt_failed(const flow::HttpFailure &failure);
  [[nodiscard]] BootMs held_until() const;
  /// The error of an origin that must not be asked now; null when it may.
  [[nodiscard]] ErrorPtr unavailable() const;
  [[nodiscard]] ErrorPtr not_asked(Status status, const std::string &why, std::int64_t wait_ms) const;
  void note_answer(const flow::HttpResponse &response, const flow::Effect &effect);
  void note_answered();
  void note_unavailable();
  [[nodiscard]] Notice notice(NoticeKind kind) const;
  void note_failure(const flow::HttpFailure &failure);
  bool repeat(const Error &error, flow::Sent sent);
  void connect_too_long() { attempt_timed_out(true); }
  void attempt_too_long() { attempt_timed_out(false); }
  void attempt_timed_out(bool connecting);
  void fetch_timed_out();
  void end_attempt();
  [[nodiscard]] flow::Sent sent_state() const;
  [[nodiscard]] ErrorPtr timed_out(const std::string &what) const;
  [[nodiscard]] ErrorPtr out_of_turn(std::int64_t wait_ms) const;
  void finish(flow::Effect effect);
  void fail_with(const ErrorPtr &error) { finish(flow::Failed{error}); }

  Engine &engine_;
  std::shared_ptr<FlightOwner> owner_;  ///< null when it has landed
  std::unique_ptr<flow::Machine> machine_;
  std::vector<std::shared_ptr<Waiter>> waiters_;

  // What it is about: one of the two.
  std::shared_ptr<const flow::HttpRequest> request_;
  std::shared_ptr<const flow::Sign> order_;
  int attempt_ = 0;
  std::string route_;           ///< of the request
  bool is_probe_ = false;       ///< of a route that failed
  std::uint64_t exchange_ = 0;  ///< 0: nothing is on its way
  std::shared_ptr<HostCall> host_call_;
  Timers::Id connect_deadline_;
  Timers::Id attempt_deadline_;
  Timers::Id total_deadline_;
  Timers::Id pause_;
  std::optional<BootMs> departure_;  ///< booked, and still to come
  BootMs sent_at_ = 0;
  BootMs deadline_ = 0;  ///< of the whole fetch
};

}  // namespace fleetauth::runtime
