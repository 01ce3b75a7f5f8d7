#pragma once

#include <string>

#include "tools/fleetauth/abi.h"
#include "tools/fleetauth/arguments.h"

namespace fleetauth::command {

/// A client as the command line, the profile and the environment describe it.
struct Client {
  Runtime runtime;
  Provider provider;
  ClientHandle handle;
  Request request;
};

/// Throws UsageError, SetupError or LibraryError.
[[nodiscard]] Client open_client(const Arguments &arguments);

/// A token, with the headers for `url` unless it is empty. Waits.
[[nodiscard]] Token get_token(const Client &client, const std::string &method, const std::string &url);

}  // namespace fleetauth::command
