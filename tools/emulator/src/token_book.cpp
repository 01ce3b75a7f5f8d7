#include "token_book.h"

#include <algorithm>
#include <iterator>

#include "crypto.h"

namespace fleetauth::emulator {

void TokenBook::add(Token token) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = by_value_.equal_range(token.value);
  const auto same = std::find_if(first, last, [&](const auto &each) { return each.second->provider == token.provider; });
  if (same != last) {
    *same->second = std::move(token);
    return;
  }
  tokens_.push_back(std::move(token));
  by_value_.emplace(tokens_.back().value, std::prev(tokens_.end()));
  if (tokens_.size() > max_tokens) forget_oldest();
}

void TokenBook::forget_oldest() {
  const auto [first, last] = by_value_.equal_range(tokens_.front().value);
  by_value_.erase(std::find_if(first, last, [&](const auto &each) { return each.second == tokens_.begin(); }));
  tokens_.pop_front();
}

TokenBook::Tokens::const_iterator TokenBook::find(std::string_view provider, std::string_view value) const {
  const auto [first, last] = by_value_.equal_range(std::string(value));
  const auto found = std::find_if(first, last, [&](const auto &each) { return each.second->provider == provider; });
  return found == last ? tokens_.end() : Tokens::const_iterator(found->second);
}

TokenCheck TokenBook::check(std::string_view provider, std::string_view kind, std::string_view value, std::int64_t now_s) const {
  const std::lock_guard lock(mutex_);
  const auto found = find(provider, value);
  if (found == tokens_.end() || found->kind != kind) return {};
  const Token &token = *found;
  const TokenState state = token.revoked ? TokenState::revoked : now_s >= token.expires_s ? TokenState::expired : TokenState::good;
  return {state, token.account, token.family, token.expires_s};
}

std::optional<Token> TokenBook::find_good(std::string_view provider, std::string_view kind, std::string_view account, std::int64_t now_s,
                                          std::int64_t margin_s) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(tokens_.rbegin(), tokens_.rend(), [&](const Token &token) {
    return token.provider == provider && token.kind == kind && token.account == account && !token.revoked &&
           token.expires_s - now_s >= margin_s;
  });
  return found == tokens_.rend() ? std::nullopt : std::optional(*found);
}

std::size_t TokenBook::revoke(std::string_view provider, std::string_view wanted, std::string_view account) {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (Token &token : tokens_) {
    if (token.revoked || token.provider != provider) continue;
    if (!account.empty() && token.account != account) continue;
    if (!wanted.empty() && fingerprint(token.value) != wanted) continue;
    token.revoked = true;
    ++count;
  }
  return count;
}

void TokenBook::revoke_family(std::string_view provider, std::string_view family) {
  if (family.empty()) return;
  const std::lock_guard lock(mutex_);
  for (Token &token : tokens_) {
    if (token.provider == provider && token.family == family) token.revoked = true;
  }
}

bool TokenBook::contains(std::string_view value) const {
  const std::lock_guard lock(mutex_);
  return by_value_.contains(std::string(value));
}

std::vector<Token> TokenBook::newest(std::string_view provider, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<Token> result;
  for (auto token = tokens_.rbegin(); token != tokens_.rend() && result.size() < limit; ++token) {
    if (token->provider == provider) result.push_back(*token);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

}  // namespace fleetauth::emulator
