#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What a vector is carried out against: one client with the host's transport on a manual clock, behind whatever interface is tested.
namespace conformance {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Option = std::variant<std::string, std::int64_t, bool>;
using Options = std::vector<std::pair<std::string, Option>>;

struct ClientSpec {
  std::string provider;    ///< a built-in one's name; empty when `descriptor` is given
  std::string descriptor;  ///< JSON
  Options options;
  std::int64_t wall_ms = 0;
};

struct Call {
  std::optional<std::string> url;
  std::optional<std::string> method;
  Options request;
};

struct Token {
  std::string secret;
  std::string kind;
  std::string scheme;
  std::string fingerprint;
  std::optional<std::int64_t> expires_in_ms;
  std::optional<std::int64_t> expires_at_ms;
  bool from_cache = false;
  std::int64_t slot = -1;
  std::int64_t generation = 0;
  Pairs headers;
};

struct Identity {
  Pairs fields;
};
struct Accounts {
  Pairs ids_and_names;
};
struct LoggedOut {};

struct Failure {
  std::string status;
  std::string message;
  std::string provider;
  std::string provider_code;
  std::int32_t http_status = 0;
  bool retryable = false;
  std::int64_t retry_after_ms = -1;
  bool in_doubt = false;
  std::shared_ptr<const void> challenge;  ///< the subject's own
};

using Outcome = std::variant<Token, Failure, Identity, Accounts, LoggedOut>;

struct Request {
  std::string method;
  std::string url;
  std::string body;
  Pairs headers;
  bool one_shot = false;
};

struct Answer {
  std::int32_t status = 0;
  Pairs headers;
  std::string body;
};

struct Completed {
  std::int64_t tag = 0;
  Outcome outcome;
};
/// Taken upon us: answered later by its id.
struct Offered {
  std::int64_t id = 0;
  Request request;
};
/// Bytes for the host's signer, likewise.
struct ToSign {
  std::int64_t id = 0;
  std::string algorithm;
  std::string key_id;
  std::string data;
};
struct Withdrawn {
  std::int64_t id = 0;
};
using Event = std::variant<std::monostate, Completed, Offered, ToSign, Withdrawn>;

inline constexpr std::string_view kChallengeKey = "a key of 32 bytes for challenges";

class Subject {
 public:
  virtual ~Subject() = default;

  /// How long something that was caused may take to arrive.
  [[nodiscard]] virtual std::int64_t patience_ms() const = 0;

  virtual std::optional<Failure> make_client(const ClientSpec &spec) = 0;
  virtual void close_client() = 0;

  virtual Outcome peek(const Call &call) = 0;
  /// A failure when starting itself is refused.
  virtual std::optional<Failure> start(std::int64_t tag, const Call &call) = 0;
  /// Who the caller is, or which accounts there are.
  virtual std::optional<Failure> inquire(std::int64_t tag, bool accounts, const Call &call) = 0;
  /// `sealed`: what was sealed with kChallengeKey and opened again.
  virtual std::optional<Failure> answer_challenge(std::int64_t tag, const Failure &asked, const std::string &code, bool sealed) = 0;
  virtual std::optional<Failure> log_out(std::int64_t tag) = 0;
  virtual void cancel(std::int64_t tag) = 0;
  /// "retry" or "stop".
  virtual std::string report_rejected(const Token &token, std::int32_t http_status, const std::optional<std::string> &date) = 0;

  /// The next event, or nothing when none came in time.
  virtual Event next(std::int64_t timeout_ms) = 0;
  virtual void answer(std::int64_t request, const Answer &answer) = 0;
  virtual void fail(std::int64_t request, const std::string &status, const std::string &message) = 0;
  virtual void sign(std::int64_t call, const std::string &signature) = 0;
  virtual void fail_to_sign(std::int64_t call, const std::string &status, const std::string &message) = 0;

  virtual void advance(std::int64_t ms) = 0;
  virtual void step_wall(std::int64_t ms) = 0;
};

/// Each runner has its own.
std::unique_ptr<Subject> make_subject(bool threaded);

}  // namespace conformance
