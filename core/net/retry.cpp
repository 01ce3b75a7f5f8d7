#include "core/net/retry.h"

#include <algorithm>

namespace fleetauth::net {
namespace {

constexpr int kMaxAttempts = 3;
constexpr std::int64_t kFirstPauseMs = 250;
constexpr std::int64_t kLongestPauseMs = 10'000;

}  // namespace

bool may_repeat(flow::CallClass call_class, int attempt, const Error &error, flow::Sent sent) {
  if (attempt >= kMaxAttempts || !error.is_retryable()) return false;
  return call_class == flow::CallClass::Idempotent || sent == flow::Sent::No;
}

std::int64_t backoff_ms(int attempt, const Error &error, const Random &random) {
  const int doublings = std::clamp(attempt - 1, 0, 10);  // far above the cap
  const std::int64_t ceiling = std::min(kLongestPauseMs, kFirstPauseMs << doublings);
  const auto pause = static_cast<std::int64_t>(random() * static_cast<double>(ceiling));
  return std::max(pause, error.retry_after_ms);
}

}  // namespace fleetauth::net
