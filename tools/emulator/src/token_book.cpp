#include "token_book.h"

#include <algorithm>

#include "crypto.h"

namespace fleetauth::emulator {

void TokenBook::add(Token token) {
  const std::lock_guard lock(mutex_);
  std::string value = token.value;
  if (!tokens_.insert_or_assign(value, std::move(token)).second) return;
  order_.push_back(std::move(value));
  if (order_.size() <= max_tokens) return;
  tokens_.erase(order_.front());
  order_.pop_front();
}

TokenCheck TokenBook::check(std::string_view provider, std::string_view kind, std::string_view value, std::int64_t now_s) const {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(std::string(value));
  if (found == tokens_.end()) return {};
  const Token &token = found->second;
  if (token.provider != provider || token.kind != kind) return {};
  const TokenState state = token.revoked ? TokenState::revoked : now_s >= token.expires_s ? TokenState::expired : TokenState::good;
  return {state, token.account, token.family, token.expires_s};
}

std::optional<Token> TokenBook::find_good(std::string_view provider, std::string_view kind, std::string_view account, std::int64_t now_s,
                                          std::int64_t margin_s) const {
  const std::lock_guard lock(mutex_);
  for (auto value = order_.rbegin(); value != order_.rend(); ++value) {
    const Token &token = tokens_.at(*value);
    if (token.provider == provider && token.kind == kind && token.account == account && !token.revoked &&
        token.expires_s - now_s >= margin_s) {
      return token;
    }
  }
  return std::nullopt;
}

std::size_t TokenBook::revoke(std::string_view provider, std::string_view wanted, std::string_view account) {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (auto &[value, token] : tokens_) {
    if (token.revoked || token.provider != provider) continue;
    if (!account.empty() && token.account != account) continue;
    if (!wanted.empty() && fingerprint(value) != wanted) continue;
    token.revoked = true;
    ++count;
  }
  return count;
}

void TokenBook::revoke_family(std::string_view provider, std::string_view family) {
  if (family.empty()) return;
  const std::lock_guard lock(mutex_);
  for (auto &[value, token] : tokens_) {
    if (token.provider == provider && token.family == family) token.revoked = true;
  }
}

bool TokenBook::contains(std::string_view value) const {
  const std::lock_guard lock(mutex_);
  return tokens_.contains(std::string(value));
}

std::vector<Token> TokenBook::newest(std::string_view provider, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<Token> result;
  for (auto value = order_.rbegin(); value != order_.rend() && result.size() < limit; ++value) {
    const Token &token = tokens_.at(*value);
    if (token.provider == provider) result.push_back(token);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

}  // namespace fleetauth::emulator
