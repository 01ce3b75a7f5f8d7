#pragma once

#include <string>

#include "tools/fleetauth/abi.h"
#include "tools/fleetauth/arguments.h"
#include "tools/fleetauth/input.h"

namespace fleetauth::command {

/// What requests to the provider's API have in common with the client's own.
struct HttpSettings {
  std::string ca_file;  ///< both empty: the system's
  std::string ca_pem;
  std::string proxy;  ///< "env", "none" or a URL
  bool allow_http = false;
};

/// A client as the command line, the profile and the environment describe it.
struct Client {
  Runtime runtime;
  Provider provider;
  ClientHandle handle;
  Request request;
  Values values;  ///< all that was given, wiped when the client goes
  HttpSettings http;
  std::string otp_command;  ///< prints the one-time code; empty: people are asked
};

/// What a client is made of, before it is made, and where each part is from.
struct Setup {
  Provider provider;
  std::string profile_file;  ///< empty: no profile was named
  Values values;
  std::map<std::string, std::string> sources;     ///< of the values, for people
  std::map<std::string, std::string> unreadable;  ///< what is wrong where options were to be had from, for people
  std::map<std::string, std::string> missing;     ///< required options that nothing has, with all that was tried
};

/// Asks on the terminal for secrets that are missing, but not if something else is wrong. Throws UsageError, SetupError or LibraryError.
[[nodiscard]] Setup gather(const Arguments &arguments);

/// Throws UsageError, SetupError or LibraryError.
[[nodiscard]] Client open_client(const Arguments &arguments, Setup setup);
[[nodiscard]] Client open_client(const Arguments &arguments);

/// Adds what the environment variables of the provider's parameters have and `values` has not.
void add_environment(Values &values, const Provider &provider);

/// Those values that are the client's and not a request's. What is a parameter of the provider too, such as a claim set, is the client's
/// unless the command line named it for its request: then it is in `of_request`.
[[nodiscard]] Options client_options(const Provider &provider, const Values &values, const Values &of_request = {});

/// Sends nothing. Throws LibraryError.
[[nodiscard]] ClientHandle new_client(const Runtime &runtime, const Provider &provider, const Options &options);

/// A token, with the headers for `url` unless it is empty. Waits; asks for a one-time code if the provider does, and then says so.
[[nodiscard]] Token get_token(const Client &client, const std::string &method, const std::string &url, bool *asked_for_code = nullptr);

/// The same without an answer to a challenge: then it throws LibraryError with the challenge.
[[nodiscard]] Token get_token_without_code(const Client &client, const std::string &method, const std::string &url);

[[nodiscard]] HttpSettings http_settings(const Values &values);

/// What a FLEETAUTH_INQUIRY_ comes to, after a token was got. Waits.
[[nodiscard]] Event inquire(const Client &client, std::int32_t what);

/// Has the provider revoke what it can. Waits.
void log_out(const Client &client);

}  // namespace fleetauth::command
