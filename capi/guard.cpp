#include "capi/guard.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <typeinfo>

namespace fleetauth::capi::guard {

namespace {

constexpr std::size_t kLongest = static_cast<std::size_t>(PTRDIFF_MAX);

}  // namespace

std::string_view Check::text(const char *data, std::size_t size, const char *name) noexcept {
  if (data == nullptr) {
    if (size != 0) reject(name, "must not be NULL unless its length is 0");
    return {"", 0};
  }
  return *optional_text(data, size, name);
}

std::optional<std::string_view> Check::optional_text(const char *data, std::size_t size, const char *name) noexcept {
  if (data == nullptr) return std::nullopt;
  if (size == FLEETAUTH_NTS) size = std::strlen(data);
  if (size > kLongest) {
    reject(name, "has a length that is neither a size nor FLEETAUTH_NTS");
    return std::string_view("", 0);
  }
  const std::string_view view(data, size);
  if (!valid_utf8(view)) reject(name, "must be UTF-8");
  return view;
}

std::string_view Check::bytes(const std::uint8_t *data, std::size_t size, const char *name) noexcept {
  if (data == nullptr && size != 0) {
    reject(name, "must not be NULL unless its length is 0");
  } else if (size > kLongest) {
    reject(name, "has a length that is no size; FLEETAUTH_NTS is for text only");
  } else if (size != 0) {
    return {reinterpret_cast<const char *>(data), size};
  }
  return {"", 0};
}

void Check::buffer(const std::uint8_t *data, std::size_t capacity, std::size_t *length, const char *name) noexcept {
  if (data == nullptr && capacity != 0) reject(name, "must not be NULL unless its capacity is 0");
  if (capacity > kLongest) reject(name, "has a capacity that is no size");
  if (length == nullptr) {
    reject(name, "needs a place for its length, which must not be NULL");
  } else {
    *length = 0;
  }
}

void Check::one_of(std::int32_t number, std::initializer_list<std::int32_t> known, const char *name, const char *problem) noexcept {
  if (std::find(known.begin(), known.end(), number) == known.end()) reject(name, problem);
}

ErrorPtr Check::error() const { return fail(Status::InvalidArgument, std::string(function_) + ": " + name_ + " " + problem_); }

Failure current_failure(const char *function) noexcept {
  Failure failure{Status::Internal, nullptr};
  try {
    try {
      throw;
    } catch (const std::bad_alloc &) {
      failure.status = Status::NoMem;
      failure.error = fail(Status::NoMem, std::string(function) + ": out of memory");
    } catch (const std::exception &exception) {
      // Its text is left out: it may quote what must not be shown.
      failure.error = fail(Status::Internal, std::string(function) + ": unexpected " + typeid(exception).name() +
                                                 "; this is a fault of the library, please report it");
    } catch (...) {
      failure.error =
          fail(Status::Internal, std::string(function) + ": unexpected exception; this is a fault of the library, please report it");
    }
  } catch (...) {  // no memory for the message: the status has to do
  }
  return failure;
}

fleetauth_status report(Failure failure, fleetauth_error **err) noexcept {
  if (err != nullptr) {
    *err = nullptr;
    try {
      if (failure.error != nullptr) *err = wrap(std::move(failure.error));
    } catch (...) {  // no memory for the handle: the status has to do
    }
  }
  return static_cast<fleetauth_status>(failure.status);
}

}  // namespace fleetauth::capi::guard
