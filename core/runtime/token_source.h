#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/flow/machine.h"
#include "core/runtime/engine.h"
#include "core/runtime/options.h"
#include "core/token/slot.h"

namespace fleetauth::runtime {

/// One identity's token: its slot and what is needed to fill it. Shared by every client with the same configuration.
class TokenSource : public std::enable_shared_from_this<TokenSource> {
 public:
  TokenSource(std::shared_ptr<Engine> engine, std::string_view key, std::uint64_t owner, std::shared_ptr<const Setup> setup,
              const provider::Credential &credential);
  TokenSource(const TokenSource &) = delete;
  TokenSource &operator=(const TokenSource &) = delete;

  [[nodiscard]] const Setup &setup() const { return *setup_; }
  [[nodiscard]] const provider::Credential &credential() const { return *credential_; }
  [[nodiscard]] const token::Slot &slot() const { return slot_; }

  // ---- any thread
  /// The token a caller may have now, or null. `word` is what its slot's word was before the token was read.
  [[nodiscard]] std::shared_ptr<const token::Token> usable(std::int64_t min_remaining_ms, std::int32_t &word) const;
  /// A stale token was given out: sees to its renewal, unless one runs or is not due yet.
  void renew_if_stale(const token::Token &token);

  // ---- under the engine's mutex
  /// Answers the operation from memory or has it wait for the flight, which is started if there is none. E_REENTRANT.
  ErrorPtr join(const std::shared_ptr<Operation> &operation);
  token::Advice reject(std::int64_t generation);
  void serve(QueueId queue);
  [[nodiscard]] const std::vector<QueueId> &servers() const { return servers_; }
  /// A client begins or ends to use it; without users its fetch is given up and its token forgotten.
  void add_user() { ++users_; }
  void remove_user();
  void give_up(const ErrorPtr &error);
  /// Ends the fetch alone; the token stays.
  void end_flight(const ErrorPtr &error);

  // ---- the flight's outcome
  std::shared_ptr<const token::Token> accept(flow::Grant grant);
  void note_failure(const ErrorPtr &error);
  void flight_ended(bool granted);

 private:
  void renew();
  void launch();
  void watch_token();
  void token_instant();
  [[nodiscard]] ErrorPtr remembered_failure() const;

  const std::shared_ptr<Engine> engine_;
  const std::shared_ptr<const Setup> setup_;
  const provider::Credential *credential_;
  const double spread_;
  token::Slot slot_;
  std::shared_ptr<Flight> flight_;
  std::vector<QueueId> servers_;
  int users_ = 0;

  // After a failure: the error, and from when on the provider may be asked again.
  ErrorPtr last_error_;
  int failures_ = 0;
  BootMs retry_at_ = 0;
  BootMs pause_until_ = 0;  ///< the last token expired on arrival: no new fetch before

  Timers::Id watch_;
  std::atomic<BootMs> renew_from_{0};  ///< before this no renewal can start; kNever while one runs
};

}  // namespace fleetauth::runtime
