#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/runtime/token_source.h"

namespace fleetauth::runtime {

/// The tokens of one credential: the client's own, and one for each subject that was asked for. Shared by clients of the same
/// configuration. Everything under the engine's mutex but base().
class SourceSet {
 public:
  SourceSet(std::shared_ptr<SourceKind> kind, provider::Subject usual);
  SourceSet(const SourceSet &) = delete;
  SourceSet &operator=(const SourceSet &) = delete;

  [[nodiscard]] const SourceKind &kind() const { return *kind_; }
  [[nodiscard]] const std::shared_ptr<TokenSource> &base() const { return base_; }
  /// The one of that subject, made if there is none; above the limit the one that was not asked for longest is forgotten.
  std::shared_ptr<TokenSource> of(const provider::Subject &subject);
  /// Whether the source is still one of these; if so, it is the one that was asked for last.
  bool recall(TokenSource &source);
  /// The one whose slot has this number; null when there is none any more.
  [[nodiscard]] std::shared_ptr<TokenSource> of_slot(std::int64_t slot) const;
  void for_each(const std::function<void(TokenSource &)> &what) const;

  /// A client begins or ends to use it; without users fetches are given up and tokens forgotten.
  void add_user();
  void remove_user();
  void serve(QueueId queue);

 private:
  using Order = std::list<std::shared_ptr<TokenSource>>;
  struct ByValue {
    std::size_t operator()(const provider::Subject *subject) const { return subject->hash(); }
    bool operator()(const provider::Subject *a, const provider::Subject *b) const { return *a == *b; }
  };
  void forget_oldest();

  const std::shared_ptr<SourceKind> kind_;
  const std::shared_ptr<TokenSource> base_;
  Order others_;  ///< the one that was asked for last comes first
  std::unordered_map<const provider::Subject *, TokenSource *, ByValue, ByValue> by_subject_;
  std::unordered_map<std::int64_t, TokenSource *> by_slot_;
};

}  // namespace fleetauth::runtime
