#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/error.h"

namespace fleetauth::runtime {

/// What a runtime tells of itself. docs/observability.md says what each is, and names the members of its JSON.
enum class NoticeKind : std::size_t {
  Login,
  Refresh,
  Mint,
  Failure,
  Request,
  Repeat,
  Rejected,
  Logout,
  BreakerOpened,
  BreakerClosed,
  Dropped,
};
inline constexpr std::size_t kNoticeKinds = static_cast<std::size_t>(NoticeKind::Dropped) + 1;

/// How often each has happened, observed or not.
using Counters = std::array<std::int64_t, kNoticeKinds>;

/// Something that happened, for logs and metrics. What is not set does not concern it. Holds no secret.
struct Notice {
  NoticeKind kind = NoticeKind::Login;
  std::string_view provider;
  std::string_view credential;
  std::string_view account;
  std::string_view step;
  std::string_view origin;
  int attempt = 0;
  const Error *error = nullptr;
  std::int32_t http_status = 0;
  std::string_view advice;
  std::int64_t wait_ms = -1;
  std::int64_t generation = 0;
  std::int64_t expires_in_ms = -1;  ///< kNever: it does not
};

/// An object of JSON in one line.
[[nodiscard]] std::string to_json(const Notice &notice, WallMs now);
[[nodiscard]] std::string to_json(const Counters &counters);

}  // namespace fleetauth::runtime
