#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/runtime/flight.h"
#include "core/runtime/operation.h"
#include "core/runtime/token_source.h"

namespace fleetauth::runtime {

// What is asked of the provider for one caller alone, and ends with his wait. Everything under the engine's mutex.

/// Asks with the token who the caller is, or which accounts there are. A token that is refused is renewed once.
class Inquiry final : public Waiter, public FlightOwner, public std::enable_shared_from_this<Inquiry> {
 public:
  Inquiry(Engine &engine, std::shared_ptr<Operation> operation, std::shared_ptr<TokenSource> source, const provider::Step &step);
  /// E_REENTRANT.
  ErrorPtr begin();

  [[nodiscard]] QueueId queue() const override { return operation_->queue(); }
  [[nodiscard]] bool synchronous() const override { return operation_->synchronous(); }
  [[nodiscard]] bool done() const override { return operation_->done(); }
  [[nodiscard]] std::int64_t min_remaining_ms() const override { return 0; }
  void got_token(std::shared_ptr<const token::Token> token, std::int32_t word, bool from_cache) override;
  void got_error(ErrorPtr error) override { operation_->got_error(std::move(error)); }

  [[nodiscard]] const Setup &setup() const override { return source_->setup(); }
  [[nodiscard]] const std::vector<QueueId> &servers() const override { return source_->servers(); }
  void landed(Landing landing) override;

 private:
  template <class Step>
  void or_fail(Step step);
  void conclude(Landing &landing);
  bool renew_after(const Error &error);

  Engine &engine_;
  const std::shared_ptr<Operation> operation_;
  const std::shared_ptr<TokenSource> source_;
  const provider::Step &step_;
  std::int64_t generation_ = 0;
  bool renewed_ = false;
  std::shared_ptr<Flight> flight_;
};

/// Forgets the tokens and logins of a client, then has the provider revoke what can be revoked.
class Logout final : public FlightOwner, public std::enable_shared_from_this<Logout> {
 public:
  Logout(Engine &engine, std::shared_ptr<Operation> operation);
  /// Before the source forgets: what of it is to be revoked.
  void prepare(const TokenSource &source);
  void begin();

  [[nodiscard]] const Setup &setup() const override { return *operation_->plan().live->setup; }
  [[nodiscard]] const std::vector<QueueId> &servers() const override { return servers_; }
  void landed(Landing landing) override;

 private:
  void revoke_next();

  Engine &engine_;
  const std::shared_ptr<Operation> operation_;
  std::vector<QueueId> servers_;
  std::deque<std::unique_ptr<flow::Machine>> revocations_;
  std::shared_ptr<Flight> flight_;
  ErrorPtr error_;  ///< the first; the others are revoked all the same
};

}  // namespace fleetauth::runtime
