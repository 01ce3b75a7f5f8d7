#pragma once

#include <fleetauth/fleetauth.h>

#include <string>
#include <utility>

/// The C interface's handles with their unref, and its texts as strings, for tests in C++.
namespace capi {

template <class T, void (*unref)(T *)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T *raw) : raw_(raw) {}
  ~Handle() { unref(raw_); }
  Handle(Handle &&other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Handle &operator=(Handle &&other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  [[nodiscard]] T *get() const { return raw_; }
  /// To be written by the library; what was there is released.
  T **out() {
    unref(std::exchange(raw_, nullptr));
    return &raw_;
  }

 private:
  T *raw_ = nullptr;
};

using Error = Handle<fleetauth_error, fleetauth_error_unref>;
using Options = Handle<fleetauth_options, fleetauth_options_unref>;
using Runtime = Handle<fleetauth_runtime, fleetauth_runtime_unref>;
using Queue = Handle<fleetauth_queue, fleetauth_queue_unref>;
using Event = Handle<fleetauth_event, fleetauth_event_unref>;
using Provider = Handle<fleetauth_provider, fleetauth_provider_unref>;
using Client = Handle<fleetauth_client, fleetauth_client_unref>;
using Request = Handle<fleetauth_request, fleetauth_request_unref>;
using Op = Handle<fleetauth_op, fleetauth_op_unref>;
using Token = Handle<fleetauth_token, fleetauth_token_unref>;
using HttpCall = Handle<fleetauth_http_call, fleetauth_http_call_unref>;
using SignCall = Handle<fleetauth_sign_call, fleetauth_sign_call_unref>;
using Identity = Handle<fleetauth_identity, fleetauth_identity_unref>;
using Accounts = Handle<fleetauth_accounts, fleetauth_accounts_unref>;
using Challenge = Handle<fleetauth_challenge, fleetauth_challenge_unref>;
using Blob = Handle<fleetauth_blob, fleetauth_blob_unref>;
using Clock = Handle<fleetauth_clock, fleetauth_clock_unref>;

inline std::string text(const char *data, std::size_t len) { return data == nullptr ? std::string() : std::string(data, len); }
inline std::string text(const std::uint8_t *data, std::size_t len) { return text(reinterpret_cast<const char *>(data), len); }

/// What a getter of text or bytes answers.
template <class C, class T>
std::string text_of(const C *(*getter)(T *, std::size_t *) noexcept, T *handle) {
  std::size_t len = 0;
  const C *data = getter(handle, &len);
  return text(data, len);
}

}  // namespace capi
