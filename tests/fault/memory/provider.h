#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace fleetauth::test {

/// What a provider answers, to the host's transport and to a server alike. Its refresh tokens are good once, as with strict rotation.
class Provider {
 public:
  struct Answer {
    int status = 200;
    std::string json;
  };
  /// `target` is a URL or a path.
  Answer answer(std::string_view target, std::string_view body);

  [[nodiscard]] int spent_refresh_tokens() const {
    const std::lock_guard lock(mutex_);
    return spent_;
  }

 private:
  std::string tokens(const char *access, const char *refresh, const char *life);

  mutable std::mutex mutex_;
  int number_ = 0;  ///< of the last tokens
  int spent_ = 0;   ///< how often a refresh token came that had been used
};

}  // namespace fleetauth::test
