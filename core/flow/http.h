#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/secret_bytes.h"

namespace fleetauth::flow {

inline constexpr std::size_t kMaxBody = 256 * 1024;
/// Of a list of accounts, of which a reseller may have a hundred thousand.
inline constexpr std::size_t kMaxAccountsBody = 16 * 1024 * 1024;
inline constexpr std::size_t kMaxHeaders = 64 * 1024;

/// How often a request may leave (reliability: call classes).
enum class CallClass {
  Idempotent,  ///< may be repeated; may reuse a connection
  Refresh,     ///< consumes a refresh token: repeated freely only while nothing was sent
  OneShot,     ///< a password or a code: repeated only while nothing was sent
};

struct Header {
  std::string name;
  SecretBytes value;
};

struct HttpRequest {
  std::string method;
  SecretBytes url;  ///< some providers put a secret into the query
  std::vector<Header> headers;
  SecretBytes body;
  CallClass call_class = CallClass::OneShot;
  std::size_t max_body = kMaxBody;  ///< of the answer
  std::string step;                 ///< the descriptor's name of the step, for messages and logs
  std::string origin;               ///< scheme://host:port, safe to print
};

struct HttpResponse {
  std::int32_t status = 0;
  std::vector<Header> headers;
  SecretBytes body;

  /// The first header of that name, compared without case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// What is known of a request whose answer did not come.
enum class Sent { No, Maybe };

struct HttpFailure {
  ErrorPtr error;
  Sent sent = Sent::Maybe;
};

/// The time at which something is decided.
struct Now {
  BootMs boot = 0;
  WallMs wall = 0;
  WallMs server = wall;  ///< by the provider's clock, as far as it is known to differ from ours
};

}  // namespace fleetauth::flow
