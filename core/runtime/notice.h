#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/runtime/notice_table.gen.h"

namespace fleetauth::runtime {

/// How often each has happened, observed or not.
using Counters = std::array<std::int64_t, kNoticeTable.size()>;

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
