#pragma once

#include <string>

#include "tools/fleetauth/abi.h"
#include "tools/fleetauth/arguments.h"

namespace fleetauth::command {

/// What requests to the provider's API have in common with the client's own.
struct HttpSettings {
  std::string ca_file;  ///< both empty: the system's
  std::string ca_pem;
  std::string proxy;  ///< empty: as the environment says; "none"; a URL
  bool allow_http = false;
};

/// A client as the command line, the profile and the environment describe it.
struct Client {
  Runtime runtime;
  Provider provider;
  ClientHandle handle;
  Request request;
  HttpSettings http;
  std::string otp_command;  ///< prints the one-time code; empty: people are asked
};

/// Throws UsageError, SetupError or LibraryError.
[[nodiscard]] Client open_client(const Arguments &arguments);

/// A token, with the headers for `url` unless it is empty. Waits; asks for a one-time code if the provider does.
[[nodiscard]] Token get_token(const Client &client, const std::string &method, const std::string &url);

/// What a FLEETAUTH_INQUIRY_ comes to, after a token was got. Waits.
[[nodiscard]] Event inquire(const Client &client, std::int32_t what);

}  // namespace fleetauth::command
