#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <vector>

#include "core/flow/machine.h"
#include "core/runtime/engine.h"
#include "core/runtime/flight.h"
#include "core/runtime/options.h"
#include "core/token/slot.h"

namespace fleetauth::runtime {

/// What the sources of one credential have in common.
struct SourceKind {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<const Setup> setup;
  const provider::Credential *credential = nullptr;
  std::string key;    ///< equal for equal configurations
  std::string login;  ///< equal for the same credentials
  bool takes_account = false;
  bool takes_claims = false;
  std::uint64_t owner = 0;  ///< of the slots
  std::vector<QueueId> servers;
  int users = 0;  ///< clients; without any, nothing is renewed
};

/// One identity's token: its slot and what is needed to fill it. Shared by every client with the same configuration.
class TokenSource final : public FlightOwner, public std::enable_shared_from_this<TokenSource> {
 public:
  /// `copyable`: clients may copy from its slot by number. Only for sources that last as long as their clients: a number that is free
  /// again is given to the next.
  TokenSource(std::shared_ptr<SourceKind> kind, provider::Subject subject, bool copyable);

  [[nodiscard]] const Setup &setup() const override { return *kind_->setup; }
  [[nodiscard]] const provider::Credential &credential() const { return *kind_->credential; }
  [[nodiscard]] const provider::Subject &subject() const { return subject_; }
  [[nodiscard]] const std::string &account() const { return subject_.account; }
  [[nodiscard]] const token::Slot &slot() const { return slot_; }
  [[nodiscard]] bool takes_claims() const { return kind_->takes_claims; }

  // ---- any thread
  /// The token a caller may have now, or null. `word` is what its slot's word was before the token was read.
  [[nodiscard]] std::shared_ptr<const token::Token> usable(std::int64_t min_remaining_ms, std::int32_t &word) const;
  /// A stale token was given out: sees to its renewal, unless one runs or is not due yet.
  void renew_if_stale(const token::Token &token);

  // ---- under the engine's mutex
  /// Answers the waiter from memory or has it wait for the flight, which is started if there is none. E_REENTRANT.
  ErrorPtr join(const std::shared_ptr<Waiter> &waiter);
  /// Logs in by answering a challenge of this source's provider with a code. E_OTP_OVER when that cannot be.
  ErrorPtr answer(const std::shared_ptr<Waiter> &waiter, std::shared_ptr<const flow::Challenge> challenge, SecretBytes code);
  token::Advice reject(std::int64_t generation, std::int32_t http_status);
  /// Somebody came who takes the host's calls.
  void offer_call();
  [[nodiscard]] const std::vector<QueueId> &servers() const override { return kind_->servers; }
  /// Ends the fetch and forgets the token and the login.
  void give_up(const ErrorPtr &error);
  /// What of the token and the login can be revoked. `unused_too`: also the refresh token that was given and not used yet, which the
  /// sources of other credentials may have been given as well.
  struct Login {
    SecretBytes token;
    SecretBytes refresh_token;
  };
  [[nodiscard]] Login login(bool unused_too) const;
  /// There are clients again: the refresh token they were given is good until it is used.
  void begin_anew();
  /// A password that was refused may be tried once more.
  void forgive() { engine().logins().forgive(kind_->login); }
  [[nodiscard]] const std::string *login_name() const override { return &kind_->login; }
  /// Ends the fetch alone; the token stays.
  void end_flight(const ErrorPtr &error);

  /// Nobody waits for anything, nor for a one-time code.
  [[nodiscard]] bool idle() const { return fetch_ == nullptr && (last_error_ == nullptr || last_error_->challenge == nullptr); }

  void landed(Landing landing) override;

 private:
  /// A token is on its way.
  struct Fetch {
    std::shared_ptr<Flight> flight;
    std::shared_ptr<token::Token> token;  ///< room for it: what came is not lost for want of memory
    std::shared_ptr<const flow::Challenge> answers;
  };

  std::shared_ptr<const token::Token> accept(flow::Grant grant, std::shared_ptr<token::Token> room);
  void note_failure(const ErrorPtr &error, bool one_shot);
  [[nodiscard]] Notice notice(NoticeKind kind) const;
  void tell_granted(bool refreshed) const;
  void tell_failure(const Error &error) const;
  void note_refused_answer(const ErrorPtr &error, const flow::Challenge &challenge);
  void end_question();
  void fetched(bool granted);
  void renew();
  void launch(const std::shared_ptr<Waiter> &waiter);
  void begin(std::unique_ptr<flow::Machine> machine, const std::shared_ptr<Waiter> &waiter,
             std::shared_ptr<const flow::Challenge> answers = nullptr);
  void make_watch();
  void watch_token();
  void token_instant();
  [[nodiscard]] BootMs next_instant(const token::Token &token) const;
  [[nodiscard]] ErrorPtr locked_out() const { return engine().logins().locked_out(kind_->login); }
  [[nodiscard]] ErrorPtr remembered_failure() const;

  [[nodiscard]] Engine &engine() const { return *kind_->engine; }

  friend class SourceSet;

  const std::shared_ptr<SourceKind> kind_;
  const provider::Subject subject_;
  const float spread_;
  // For the set it is in.
  bool kept_ = false;
  std::list<std::shared_ptr<TokenSource>>::iterator place_;
  BootMs placed_ = 0;
  token::Slot slot_;
  flow::Session session_;
  bool logged_in_ = false;
  std::unique_ptr<Fetch> fetch_;

  // After a failure: the error, and from when on the provider may be asked again. While a challenge waits for its code, that is the error.
  ErrorPtr last_error_;
  int failures_ = 0;
  BootMs retry_at_ = 0;
  BootMs pause_until_ = 0;  ///< the last token expired on arrival: no new fetch before

  Timers::Id watch_;                   ///< made with the first fetch, so that no token stays unwatched for want of memory
  std::atomic<BootMs> renew_from_{0};  ///< before this no renewal can start; kNever while one runs
};

}  // namespace fleetauth::runtime
