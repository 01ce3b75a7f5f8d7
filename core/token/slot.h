#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/clock.h"
#include "core/token/token.h"

namespace fleetauth::token {

/// What to tell a caller whose request was refused.
enum class Advice { Retry, Stop };

/// The place of one identity's current token. Reading takes the striped read lock only; changes are made by one writer at a time
/// (the runtime, under its mutex). The word of the slot changes with everything a holder of a cached header must learn.
class Slot {
 public:
  /// `owner` names the configuration whose clients may copy from the slot by its number.
  explicit Slot(std::uint64_t owner);
  ~Slot();
  Slot(const Slot &) = delete;
  Slot &operator=(const Slot &) = delete;

  [[nodiscard]] std::int64_t number() const { return number_; }

  // ---- any thread
  [[nodiscard]] std::shared_ptr<const Token> current() const;
  [[nodiscard]] std::int32_t word() const;

  // ---- the writer
  /// Numbers the token and makes it the current one. Needs no memory.
  void publish(std::shared_ptr<Token> token);
  /// Forgets the current token.
  void drop();
  /// A provider refused the token of `generation`. Drops it if it is still the current one and was not itself obtained, less than
  /// a minute ago, because its predecessor was refused: then another would be refused too, and the advice is to stop.
  Advice reject(std::int64_t generation, BootMs now);
  void change_word();

 private:
  void replace(std::shared_ptr<const Token> token) noexcept;

  std::int64_t number_;
  std::shared_ptr<const Token> current_;  ///< read under ReadGuard, written under WriteGuard
  bool rejected_ = false;                 ///< the next token replaces one that was refused
};

enum class CopyOutcome { Copied, NoToken, TooSmall, NotYours };
struct CopyResult {
  CopyOutcome outcome = CopyOutcome::NoToken;
  std::size_t size = 0;
  std::int64_t generation = 0;
  BootMs usable_until = 0;
};

/// Copies the current token of a slot found by its number, if the slot is `owner`'s, without counting references.
[[nodiscard]] CopyResult copy_token(std::int64_t number, std::uint64_t owner, char *buffer, std::size_t capacity) noexcept;

}  // namespace fleetauth::token
