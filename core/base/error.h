#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/base/status.gen.h"

namespace fleetauth::flow {
struct Challenge;
}

namespace fleetauth {

/// An id of an object that belongs to the host; the last release tells the host that it may drop it.
using UserError = std::shared_ptr<const std::int64_t>;

/// What went wrong and what to do. Holds no secret and no text of a server but the filtered `provider_code`.
struct Error {
  Status status = Status::Internal;
  std::string message;
  std::string provider;
  std::string account;
  std::string provider_code;
  std::int32_t http_status = 0;
  std::optional<bool> retryable;  ///< overrides the status table
  std::int64_t retry_after_ms = -1;
  bool in_doubt = false;
  UserError user_error;
  std::shared_ptr<const flow::Challenge> challenge;  ///< E_OTP_REQUIRED: what the one-time code answers

  [[nodiscard]] bool is_retryable() const { return retryable.value_or(status_retryable(status)); }
};

/// Errors are shared by all callers of one fetch, hence immutable and counted. Null means success.
using ErrorPtr = std::shared_ptr<const Error>;

[[nodiscard]] ErrorPtr fail(Status status, std::string message);
[[nodiscard]] ErrorPtr fail(Error error);

/// A value or the error that kept it from being made.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(ErrorPtr error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return state_.index() == 0; }
  T &operator*() { return std::get<0>(state_); }
  const T &operator*() const { return std::get<0>(state_); }
  T *operator->() { return &std::get<0>(state_); }
  const T *operator->() const { return &std::get<0>(state_); }
  [[nodiscard]] const ErrorPtr &error() const { return std::get<1>(state_); }

 private:
  std::variant<T, ErrorPtr> state_;
};

}  // namespace fleetauth
