// Refresh tokens that may rotate: each use brings a successor, and who uses an old one again is suspected of theft.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "token_book.h"

namespace fleetauth::emulator {

struct RefreshPolicy {
  bool rotate = false;          // otherwise the same token is good until it expires
  bool strict = false;          // using an old token again revokes its whole family
  std::int64_t grace_s = 0;     // an old token works again for so long after it was replaced
  std::int64_t lifetime_s = 0;  // of a successor
};

enum class RefreshState { good, unknown, expired, revoked, reused };

// A refresh token to hand out, and whose it is.
struct RefreshGrant {
  RefreshState state = RefreshState::unknown;
  std::string token;    // when good: the successor, or the same one without rotation
  std::string account;  // empty when unknown
  std::string family;   // one login and all that came of it; for access tokens that shall share its fate
  std::int64_t expires_s = 0;
};

class RefreshTokens {
 public:
  // Makes the text of a token; never the same twice.
  using Maker = std::function<std::string(const std::string &account, std::int64_t now_s, std::int64_t expires_s)>;

  static constexpr const char *kind = "refresh";

  // The tokens are kept in `book` as those of `provider`, so that the admin API can revoke them.
  RefreshTokens(TokenBook &book, std::string provider, Maker make) : book_(book), provider_(std::move(provider)), make_(std::move(make)) {}

  // The first token of a new family.
  RefreshGrant issue(const std::string &account, std::int64_t now_s, std::int64_t lifetime_s);
  // The same with a text that was agreed on beforehand. If it was used or revoked before, it is good again.
  RefreshGrant plant(const std::string &token, const std::string &account, std::int64_t now_s, std::int64_t lifetime_s);
  RefreshGrant redeem(const std::string &token, std::int64_t now_s, const RefreshPolicy &policy);
  // With the access tokens that carry it.
  void revoke_family(const std::string &family) { book_.revoke_family(provider_, family); }

 private:
  RefreshGrant add(const std::string &account, const std::string &family, std::int64_t now_s, std::int64_t lifetime_s);
  RefreshGrant add(std::string token, const std::string &account, const std::string &family, std::int64_t now_s, std::int64_t expires_s);
  void remember_replaced(const std::string &token, std::int64_t now_s);

  TokenBook &book_;
  const std::string provider_;
  const Maker make_;
  std::mutex mutex_;  // of two who redeem one token at once, one is first
  std::unordered_map<std::string, std::int64_t> replaced_s_;
  std::deque<std::string> order_;  // of replaced_s_, oldest first
};

}  // namespace fleetauth::emulator
