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

/// The tokens of one credential: the client's own, and one for each account that was asked for. Shared by clients of the same
/// configuration. Everything under the engine's mutex but base().
class SourceSet {
 public:
  explicit SourceSet(std::shared_ptr<SourceKind> kind);
  SourceSet(const SourceSet &) = delete;
  SourceSet &operator=(const SourceSet &) = delete;

  [[nodiscard]] const SourceKind &kind() const { return *kind_; }
  [[nodiscard]] const std::shared_ptr<TokenSource> &base() const { return base_; }
  /// The one of that account, made if there is none; above the limit the one that was not asked for longest is forgotten.
  std::shared_ptr<TokenSource> of_account(std::string_view account);
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
  void forget_oldest();

  const std::shared_ptr<SourceKind> kind_;
  const std::shared_ptr<TokenSource> base_;
  Order others_;  ///< the one that was asked for last comes first
  std::unordered_map<std::string_view, TokenSource *> by_account_;
  std::unordered_map<std::int64_t, TokenSource *> by_slot_;
};

}  // namespace fleetauth::runtime
