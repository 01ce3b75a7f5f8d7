// The tokens the emulator has given out, and whether they are still good.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fleetauth::emulator {

struct Token {
  std::string value;
  std::string provider;
  std::string kind;     // the provider's own word, such as "jwt"
  std::string account;  // whom it was given to
  std::int64_t issued_s = 0;
  std::int64_t expires_s = 0;
  bool revoked = false;
  std::string family{};  // tokens of one login, which may be revoked together; empty: none
};

enum class TokenState { good, unknown, expired, revoked };

struct TokenCheck {
  TokenState state = TokenState::unknown;
  std::string account;  // empty when unknown
  std::string family{};
  std::int64_t expires_s = 0;
};

class TokenBook {
 public:
  // One of the same provider and value gives way to it. Two providers may have the same.
  void add(Token token);
  // A token of another provider or kind is unknown.
  TokenCheck check(std::string_view provider, std::string_view kind, std::string_view value, std::int64_t now_s) const;
  // The newest token which is good for at least `margin_s` more.
  std::optional<Token> find_good(std::string_view provider, std::string_view kind, std::string_view account, std::int64_t now_s,
                                 std::int64_t margin_s) const;
  // Empty fingerprint or account: any. Answers how many tokens were revoked now.
  std::size_t revoke(std::string_view provider, std::string_view fingerprint, std::string_view account);
  void revoke_family(std::string_view provider, std::string_view family);
  bool contains(std::string_view value) const;
  // Newest last, at most `limit`.
  std::vector<Token> newest(std::string_view provider, std::size_t limit) const;

  // Older tokens are forgotten, and are unknown from then on.
  static constexpr std::size_t max_tokens = 200'000;

 private:
  using Tokens = std::list<Token>;

  // The end when there is none.
  Tokens::const_iterator find(std::string_view provider, std::string_view value) const;
  void forget_oldest();

  mutable std::mutex mutex_;
  Tokens tokens_;  // oldest first
  std::unordered_multimap<std::string, Tokens::iterator> by_value_;
};

}  // namespace fleetauth::emulator
