#include "core/token/slot.h"

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "core/token/read_lock.h"
#include "core/token/slabs.h"

namespace fleetauth::token {

namespace {

constexpr std::int64_t kSecondRefusalMs = 60'000;

/// What copy_token finds by number; read and written under the striped lock.
struct Entry {
  std::uint64_t owner = 0;
  const Token *token = nullptr;
};
using Page = std::array<Entry, kSlotsPerSlab>;
std::array<std::atomic<Page *>, 4096> g_directory;

Entry *find(std::int64_t number) noexcept {
  const std::int64_t page = number / kSlotsPerSlab;
  if (number < 0 || page >= static_cast<std::int64_t>(g_directory.size())) return nullptr;
  Page *entries = g_directory[static_cast<std::size_t>(page)].load(std::memory_order_acquire);
  return entries == nullptr ? nullptr : &(*entries)[static_cast<std::size_t>(number % kSlotsPerSlab)];
}

Entry &find_or_make(std::int64_t number) {
  auto &place = g_directory.at(static_cast<std::size_t>(number / kSlotsPerSlab));
  if (place.load(std::memory_order_acquire) == nullptr) {
    Page *none = nullptr;
    auto page = std::make_unique<Page>();
    // Never freed.
    if (place.compare_exchange_strong(none, page.get(), std::memory_order_acq_rel))
      (void)page.release();  // NOLINT(bugprone-unused-return-value)
  }
  return *find(number);
}

std::int64_t next_generation() {
  static std::atomic<std::int64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

Slot::Slot(std::uint64_t owner) : number_(take_slot()) {
  Entry *entry = nullptr;
  try {
    entry = &find_or_make(number_);
  } catch (...) {
    return_slot(number_);
    throw;
  }
  const WriteGuard guard;
  *entry = {owner, nullptr};
}

Slot::~Slot() {
  {
    const WriteGuard guard;
    *find(number_) = {};
  }
  return_slot(number_);
}

std::shared_ptr<const Token> Slot::current() const {
  const ReadGuard guard;
  return current_;
}

std::int32_t Slot::word() const { return read_word(number_); }

void Slot::publish(std::shared_ptr<Token> token) {
  token->generation = next_generation();
  token->after_rejection = std::exchange(rejected_, false);
  replace(std::move(token));
}

void Slot::drop() { replace(nullptr); }

Advice Slot::reject(std::int64_t generation, BootMs now) {
  if (current_ == nullptr || current_->generation != generation) return Advice::Retry;
  if (current_->after_rejection && now - current_->obtained < kSecondRefusalMs) return Advice::Stop;
  rejected_ = true;
  drop();
  return Advice::Retry;
}

void Slot::change_word() { token::change_word(number_); }

void Slot::replace(std::shared_ptr<const Token> token) noexcept {
  {
    const WriteGuard guard;
    current_.swap(token);
    find(number_)->token = current_.get();
  }
  token::change_word(number_);
  // The old token, now in `token`, is released and wiped outside the lock.
}

CopyResult copy_token(std::int64_t number, std::uint64_t owner, char *buffer, std::size_t capacity) noexcept {
  CopyResult result;
  result.outcome = CopyOutcome::NotYours;
  const Entry *entry = find(number);
  if (entry == nullptr) return result;
  const ReadGuard guard;
  if (entry->owner != owner) return result;
  result.outcome = CopyOutcome::NoToken;
  if (entry->token == nullptr) return result;

  const Token &token = *entry->token;
  const std::string_view secret = token.secret.view();
  result.size = secret.size();
  result.generation = token.generation;
  result.usable_until = token.usable_until;
  result.outcome = secret.size() > capacity ? CopyOutcome::TooSmall : CopyOutcome::Copied;
  if (result.outcome == CopyOutcome::Copied) std::memcpy(buffer, secret.data(), secret.size());
  return result;
}

}  // namespace fleetauth::token
