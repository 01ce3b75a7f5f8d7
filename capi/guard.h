#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "capi/boundary.h"
#include "core/base/os/process.h"

// The two halves of every thunk: `Check` looks at the arguments, and one of status(), number(), text(), bytes(), nothing()
// calls the body if they are good and lets no exception out.
namespace fleetauth::capi {

#ifdef FLEETAUTH_CHECKED
template <class Handle>
bool is_live(const Handle *handle) noexcept;  // capi/src/handles.h
#endif

namespace guard {

/// Remembers the first argument that is wrong. Allocates only to say so.
class Check {
 public:
  explicit Check(const char *function) noexcept : function_(function) {}

  template <class Handle>
  void handle(const Handle *handle, const char *name) noexcept {
    if (handle == nullptr) {
      reject(name, "must not be NULL");
    } else {
      optional_handle(handle, name);
    }
  }

  template <class Handle>
  void optional_handle([[maybe_unused]] const Handle *handle, [[maybe_unused]] const char *name) noexcept {
#ifdef FLEETAUTH_CHECKED
    if (handle != nullptr && !is_live(handle)) reject(name, "is not a handle of this type, or was released");
#endif
  }

  template <class Handle>
  void out_handle(Handle **out, const char *name) noexcept {
    if (out == nullptr) {
      reject(name, "must not be NULL");
    } else {
      *out = nullptr;
    }
  }

  void pointer(const void *pointer, const char *name) noexcept {
    if (pointer == nullptr) reject(name, "must not be NULL");
  }

  std::string_view text(const char *data, std::size_t size, const char *name) noexcept;
  std::optional<std::string_view> optional_text(const char *data, std::size_t size, const char *name) noexcept;
  std::string_view bytes(const std::uint8_t *data, std::size_t size, const char *name) noexcept;
  void buffer(const std::uint8_t *data, std::size_t capacity, std::size_t *length, const char *name) noexcept;
  void one_of(std::int32_t number, std::initializer_list<std::int32_t> known, const char *name, const char *problem) noexcept;

  [[nodiscard]] bool ok() const noexcept { return problem_ == nullptr; }
  [[nodiscard]] const char *function() const noexcept { return function_; }
  [[nodiscard]] ErrorPtr error() const;

 private:
  void reject(const char *name, const char *problem) noexcept {
    if (problem_ != nullptr) return;
    name_ = name;
    problem_ = problem;
  }

  const char *function_;
  const char *name_ = nullptr;
  const char *problem_ = nullptr;
};

/// What the exception in flight means; to be called in a catch block. The error is null when memory ran out for it too.
struct Failure {
  Status status;
  ErrorPtr error;
};
[[nodiscard]] Failure current_failure(const char *function) noexcept;

/// Hands `failure` to a caller who may want the error object.
fleetauth_status report(Failure failure, fleetauth_error **err) noexcept;

template <class Body>
fleetauth_status status(const Check &check, fleetauth_error **err, Body body) noexcept {
  const os::CancellationBlock whole;
  try {
    ErrorPtr error = check.ok() ? body() : check.error();
    const Status status = error != nullptr ? error->status : Status::Ok;
    return report({status, std::move(error)}, err);
  } catch (...) {
    return report(current_failure(check.function()), err);
  }
}

/// For functions which have no error object. Their bodies see to cancellation themselves: slot_copy has no use for it and no time to spare.
template <class Body>
fleetauth_status status(const Check &check, Body body) noexcept {
  try {
    return static_cast<fleetauth_status>(check.ok() ? body() : Status::InvalidArgument);
  } catch (...) {
    return static_cast<fleetauth_status>(current_failure(check.function()).status);
  }
}

/// A number; `kFallback` when there is none to tell.
template <class Number, Number kFallback = 0, class Body>
Number number(const Check &check, Body body) noexcept {
  try {
    return check.ok() ? body() : kFallback;
  } catch (...) {
    return kFallback;
  }
}

/// Borrowed memory; `fallback` when there is none to tell.
template <class Body>
const char *lend(const Check &check, std::size_t *len, const char *fallback, Body body) noexcept {
  Borrowed borrowed{fallback, 0};
  try {
    if (check.ok()) borrowed = body();
  } catch (...) {
    borrowed = {fallback, 0};
  }
  if (len != nullptr) *len = borrowed.size;
  return borrowed.data;
}

template <class Body>
const char *text(const Check &check, std::size_t *len, Body body) noexcept {
  return lend(check, len, "", body);
}

template <class Body>
const std::uint8_t *bytes(const Check &check, std::size_t *len, Body body) noexcept {
  return reinterpret_cast<const std::uint8_t *>(lend(check, len, nullptr, body));
}

template <class Body>
void nothing(const Check &check, Body body) noexcept {
  const os::CancellationBlock whole;
  try {
    if (check.ok()) body();
  } catch (...) {  // there is nobody to tell
  }
}

}  // namespace guard
}  // namespace fleetauth::capi
