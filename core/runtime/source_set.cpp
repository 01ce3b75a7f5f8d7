#include "core/runtime/source_set.h"

#include <algorithm>

#include "core/runtime/common_errors.h"

namespace fleetauth::runtime {

SourceSet::SourceSet(std::shared_ptr<SourceKind> kind, provider::Subject usual)
    : kind_(std::move(kind)), base_(std::make_shared<TokenSource>(kind_, std::move(usual), true)) {}

std::shared_ptr<TokenSource> SourceSet::of(const provider::Subject &subject) {
  if (subject == base_->subject()) return base_;
  if (const auto found = by_subject_.find(&subject); found != by_subject_.end()) {
    recall(*found->second);
    return found->second->shared_from_this();
  }
  auto made = std::make_shared<TokenSource>(kind_, subject, false);
  Order place{made};  // made before it is known by any name: what runs out of memory leaves nothing behind
  const auto by_subject = by_subject_.emplace(&made->subject(), made.get()).first;
  try {
    by_slot_.emplace(made->slot().number(), made.get());
  } catch (...) {
    by_subject_.erase(by_subject);
    throw;
  }
  others_.splice(others_.begin(), place);
  made->place_ = others_.begin();
  made->placed_ = kind_->engine->clock()->boot_ms();
  made->kept_ = true;
  if (others_.size() > static_cast<std::size_t>(kind_->setup->max_tokens)) forget_oldest();
  return made;
}

bool SourceSet::recall(TokenSource &source) {
  // Of many, the neighbours are in no cache, and moving one would cost more than finding it: there the order is good to the second.
  constexpr std::size_t kFew = 1000;
  constexpr std::int64_t kLatelyMs = 1000;
  if (&source == base_.get()) return true;
  if (source.kind_ != kind_ || !source.kept_) return false;
  const BootMs now = kind_->engine->clock()->boot_ms();
  if (others_.size() > kFew && now - source.placed_ < kLatelyMs) return true;
  source.placed_ = now;
  others_.splice(others_.begin(), others_, source.place_);
  return true;
}

/// One that somebody waits for or works with stays.
void SourceSet::forget_oldest() {
  const auto unused = [](const auto &source) { return source.use_count() == 1 && source->idle(); };
  const auto oldest = std::find_if(others_.rbegin(), std::prev(others_.rend()), unused);
  if (oldest == std::prev(others_.rend())) return;
  by_subject_.erase(&(*oldest)->subject());
  by_slot_.erase((*oldest)->slot().number());
  (*oldest)->kept_ = false;
  (*oldest)->give_up(nullptr);
  others_.erase(std::next(oldest).base());
}

std::shared_ptr<TokenSource> SourceSet::of_slot(std::int64_t slot) const {
  if (base_->slot().number() == slot) return base_;
  const auto found = by_slot_.find(slot);
  return found == by_slot_.end() ? nullptr : found->second->shared_from_this();
}

void SourceSet::for_each(const std::function<void(TokenSource &)> &what) const {
  what(*base_);
  for (const auto &source : others_) what(*source);
}

void SourceSet::add_user() {
  if (kind_->users == 0) base_->begin_anew();
  ++kind_->users;
}

void SourceSet::remove_user() {
  if (--kind_->users > 0) return;
  for_each([](TokenSource &source) { source.give_up(common_errors().client_closed); });
  kind_->engine->forget(kind_->setup->digest);
}

void SourceSet::serve(QueueId queue) {
  std::erase_if(kind_->servers, [&](QueueId server) { return server == queue || !kind_->engine->takes_events(server); });
  kind_->servers.push_back(queue);
  for_each([](TokenSource &source) { source.offer_call(); });
}

}  // namespace fleetauth::runtime
