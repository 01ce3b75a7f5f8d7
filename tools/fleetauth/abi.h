#pragma once

#include <fleetauth/fleetauth.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The C ABI with owners and exceptions: what the command is written on.
namespace fleetauth::command {

template <class T, void (*kUnref)(T *)>
struct Unref {
  void operator()(T *handle) const noexcept { kUnref(handle); }
};
template <class T, void (*kUnref)(T *)>
using Handle = std::unique_ptr<T, Unref<T, kUnref>>;

using Runtime = Handle<fleetauth_runtime, fleetauth_runtime_unref>;
using Provider = Handle<fleetauth_provider, fleetauth_provider_unref>;
using Options = Handle<fleetauth_options, fleetauth_options_unref>;
using ClientHandle = Handle<fleetauth_client, fleetauth_client_unref>;
using Request = Handle<fleetauth_request, fleetauth_request_unref>;
using Token = Handle<fleetauth_token, fleetauth_token_unref>;
using Queue = Handle<fleetauth_queue, fleetauth_queue_unref>;
using Event = Handle<fleetauth_event, fleetauth_event_unref>;
using Op = Handle<fleetauth_op, fleetauth_op_unref>;
using Identity = Handle<fleetauth_identity, fleetauth_identity_unref>;
using Accounts = Handle<fleetauth_accounts, fleetauth_accounts_unref>;
using Challenge = Handle<fleetauth_challenge, fleetauth_challenge_unref>;
using ErrorHandle = Handle<fleetauth_error, fleetauth_error_unref>;

/// What the library answered instead of success, or a failure of the command's own with the same meaning.
class LibraryError : public std::runtime_error {
 public:
  LibraryError(fleetauth_status code, const ErrorHandle &error);
  LibraryError(fleetauth_status code, const std::string &message) : std::runtime_error(message), status(code) {}

  fleetauth_status status;
  std::string provider;
  std::string provider_code;
  std::int32_t http_status = 0;
  bool retryable = false;
  bool in_doubt = false;  ///< it may have been carried out, and is not simply to be repeated
  std::int64_t retry_after_ms = -1;
  std::shared_ptr<const Challenge> challenge;  ///< what a one-time code answers; null without
};

/// Calls `function(arguments..., &error)` and throws what it answers.
template <class Function, class... Arguments>
void check(Function function, Arguments... arguments) {
  fleetauth_error *error = nullptr;
  const fleetauth_status status = function(arguments..., &error);
  const ErrorHandle owner(error);
  if (status != FLEETAUTH_OK) throw LibraryError(status, owner);
}

[[nodiscard]] Runtime shared_runtime();
/// A built-in provider's name, or a file's path (with a '/' or ending in .json).
[[nodiscard]] Provider open_provider(const std::string &name_or_path);
/// The provider that a descriptor's text describes; `source` names it in messages.
[[nodiscard]] Provider parse_provider(std::string_view text, std::string_view source);
[[nodiscard]] Options new_options();
void set_option(const Options &options, std::string_view name, std::string_view value);
[[nodiscard]] std::string description(const Provider &provider);
[[nodiscard]] std::vector<std::string> builtin_providers();

}  // namespace fleetauth::command
