#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fleetauth::command {

struct Flag;

/// A command line, taken apart. What a value means is for those who use it.
struct Arguments {
  std::string command;
  std::vector<std::string> words;  ///< what is no option, after the command
  std::vector<const Flag *> used;
  bool help = false;
  bool version = false;
  bool json = false;
  bool info = false;
  bool deps = false;
  bool no_login = false;
  std::optional<std::string> provider;
  std::optional<std::string> profile;
  std::optional<std::string> config;
  std::optional<std::string> method;
  std::optional<std::string> data;
  std::optional<std::string> otp_from;
  std::vector<std::string> set;            ///< NAME=VALUE
  std::vector<std::string> secret_files;   ///< NAME=PATH
  std::vector<std::string> secret_stdins;  ///< NAME
  std::vector<std::string> claims;         ///< NAME=ID
  /// --set, and every option that is not the command's own: `--some-name value` is some_name, an option of the client.
  std::map<std::string, std::string> client_options;
};

/// The commands an option belongs to, as bits.
using CommandSet = unsigned;
inline constexpr CommandSet kToken = 1;
inline constexpr CommandSet kHeaders = 2;
inline constexpr CommandSet kRequest = 4;
inline constexpr CommandSet kProviders = 8;
inline constexpr CommandSet kVersion = 16;
inline constexpr CommandSet kWhoami = 32;
inline constexpr CommandSet kAccounts = 64;
inline constexpr CommandSet kLogin = 128;
inline constexpr CommandSet kLogout = 256;
inline constexpr CommandSet kStatus = 512;
inline constexpr CommandSet kMint = 1024;
inline constexpr CommandSet kDoctor = 2048;
/// Those whose token may be for claims.
inline constexpr CommandSet kWithClaims = kToken | kHeaders | kRequest | kMint | kLogin | kDoctor;
/// Those whose provider may ask for a one-time code.
inline constexpr CommandSet kWithLogin = kWithClaims | kWhoami | kAccounts;
inline constexpr CommandSet kWithClient = kWithLogin | kLogout;
inline constexpr CommandSet kEvery = kWithClient | kProviders | kVersion | kStatus;

/// An option of the command itself.
struct Flag {
  using Place = std::variant<bool Arguments::*, std::optional<std::string> Arguments::*, std::vector<std::string> Arguments::*>;

  std::string_view name;
  std::string_view value;  ///< what it takes, empty for nothing
  CommandSet commands;
  Place place;
  std::string_view doc;
};

[[nodiscard]] std::span<const Flag> own_flags();

/// Throws UsageError.
[[nodiscard]] Arguments parse_arguments(int argc, char **argv);

/// Refuses options that belong to other commands. Throws UsageError.
void check_belongs(const Arguments &arguments, CommandSet command);

/// "NAME=VALUE" in two; `flag` is for the message, which does not repeat the text: it may hold a secret. Throws UsageError.
[[nodiscard]] std::pair<std::string, std::string> name_and_value(std::string_view flag, const std::string &text);

[[nodiscard]] std::string as_flag(std::string name);         ///< some_name: --some-name
[[nodiscard]] std::string as_option(std::string_view flag);  ///< some-name: some_name

/// "; did you mean --provider?", or nothing.
[[nodiscard]] std::string suggest_flag(std::string_view option, std::vector<std::string_view> options_of_client);

}  // namespace fleetauth::command
