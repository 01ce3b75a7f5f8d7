#include "refresh_tokens.h"

#include "crypto.h"

namespace fleetauth::emulator {

RefreshGrant RefreshTokens::add(const std::string &account, const std::string &family, std::int64_t now_s, std::int64_t lifetime_s) {
  const std::int64_t expires_s = now_s + lifetime_s;
  return add(make_(account, now_s, expires_s), account, family, now_s, expires_s);
}

RefreshGrant RefreshTokens::add(std::string token, const std::string &account, const std::string &family, std::int64_t now_s,
                                std::int64_t expires_s) {
  book_.add({token, provider_, kind, account, now_s, expires_s, /*revoked=*/false, family});
  return {RefreshState::good, std::move(token), account, family, expires_s};
}

RefreshGrant RefreshTokens::issue(const std::string &account, std::int64_t now_s, std::int64_t lifetime_s) {
  return add(account, random_hex(8), now_s, lifetime_s);
}

RefreshGrant RefreshTokens::plant(const std::string &token, const std::string &account, std::int64_t now_s, std::int64_t lifetime_s) {
  const std::lock_guard lock(mutex_);
  if (replaced_s_.erase(token) > 0) std::erase(order_, token);
  return add(token, account, random_hex(8), now_s, now_s + lifetime_s);
}

RefreshGrant RefreshTokens::redeem(const std::string &token, std::int64_t now_s, const RefreshPolicy &policy) {
  const std::lock_guard lock(mutex_);
  const TokenCheck check = book_.check(provider_, kind, token, now_s);
  const auto refused = [&](RefreshState state) { return RefreshGrant{state, "", check.account, check.family, 0}; };
  if (check.state == TokenState::unknown) return refused(RefreshState::unknown);
  if (check.state == TokenState::expired) return refused(RefreshState::expired);
  if (check.state == TokenState::revoked) return refused(RefreshState::revoked);

  const auto replaced = replaced_s_.find(token);
  if (replaced != replaced_s_.end() && now_s >= replaced->second + policy.grace_s) {
    if (policy.strict) revoke_family(check.family);
    return refused(RefreshState::reused);
  }
  if (!policy.rotate) return {RefreshState::good, token, check.account, check.family, check.expires_s};
  if (replaced == replaced_s_.end()) remember_replaced(token, now_s);
  return add(check.account, check.family, now_s, policy.lifetime_s);
}

void RefreshTokens::remember_replaced(const std::string &token, std::int64_t now_s) {
  replaced_s_.emplace(token, now_s);
  order_.push_back(token);
  if (order_.size() <= TokenBook::max_tokens) return;
  // The book has forgotten it as well.
  replaced_s_.erase(order_.front());
  order_.pop_front();
}

}  // namespace fleetauth::emulator
