#include "core/runtime/source_set.h"

#include <algorithm>

#include "core/runtime/common_errors.h"

namespace fleetauth::runtime {

SourceSet::SourceSet(std::shared_ptr<SourceKind> kind, provider::Subject usual)
    : kind_(std::move(kind)), base_(std::make_shared<TokenSource>(kind_, std::move(usual), true)), base_key_(base_->subject().key()) {}

std::shared_ptr<TokenSource> SourceSet::of(const provider::Subject &subject) {
  std::string key = subject.key();
  if (key == base_key_) return base_;
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    others_.splice(others_.begin(), others_, found->second);
    return others_.front().source;
  }
  std::shared_ptr<TokenSource> made = std::make_shared<TokenSource>(kind_, subject, false);
  others_.push_front({std::move(key), made});
  by_key_.emplace(others_.front().key, others_.begin());
  by_slot_.emplace(made->slot().number(), made.get());
  if (others_.size() > static_cast<std::size_t>(kind_->setup->max_tokens)) forget_oldest();
  return made;
}

/// One that somebody waits for or works with stays.
void SourceSet::forget_oldest() {
  const auto unused = [](const Entry &entry) { return entry.source.use_count() == 1 && entry.source->idle(); };
  const auto oldest = std::find_if(others_.rbegin(), std::prev(others_.rend()), unused);
  if (oldest == std::prev(others_.rend())) return;
  by_key_.erase(oldest->key);
  by_slot_.erase(oldest->source->slot().number());
  oldest->source->give_up(nullptr);
  others_.erase(std::next(oldest).base());
}

std::shared_ptr<TokenSource> SourceSet::of_slot(std::int64_t slot) const {
  if (base_->slot().number() == slot) return base_;
  const auto found = by_slot_.find(slot);
  return found == by_slot_.end() ? nullptr : found->second->shared_from_this();
}

void SourceSet::for_each(const std::function<void(TokenSource &)> &what) const {
  what(*base_);
  for (const Entry &entry : others_) what(*entry.source);
}

void SourceSet::add_user() {
  if (kind_->users++ == 0) base_->begin_anew();
}

void SourceSet::remove_user() {
  if (--kind_->users > 0) return;
  for_each([](TokenSource &source) { source.give_up(common_errors().client_closed); });
}

void SourceSet::serve(QueueId queue) {
  std::erase_if(kind_->servers, [&](QueueId server) { return server == queue || !kind_->engine->takes_events(server); });
  kind_->servers.push_back(queue);
  for_each([](TokenSource &source) { source.offer_call(); });
}

}  // namespace fleetauth::runtime
