#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/secret_bytes.h"
#include "core/provider/claims.h"

namespace fleetauth::provider {

/// What a template may use besides the client's parameters. The request's role decides which of them there are.
enum class Input { Token, RefreshToken, Code, Account, Echo, Issuer, Claims, Claim };

/// How each is written, in the order of Input. Those that are one of several take a name, the others `true`.
struct InputWord {
  std::string_view word;
  bool named;
  bool secret;
};
inline constexpr std::array<InputWord, 8> kInputWords{{
    {"$token", false, true},
    {"$refresh_token", false, true},
    {"$code", false, true},
    {"$account", false, false},
    {"$echo", true, true},
    {"$issuer", false, false},
    {"$claims", false, false},
    {"$claim", true, false},
}};
[[nodiscard]] constexpr const InputWord &word_of(Input input) { return kInputWords[static_cast<std::size_t>(input)]; }

/// A value of an answer that a later request repeats: a string, an integer or a boolean.
struct Echo {
  std::string name;
  json::Type type = json::Type::String;
  SecretBytes text;
};

/// The inputs of one request. Borrowed; what is empty is not there.
struct Inputs {
  std::string_view token = {};
  std::string_view refresh_token = {};
  std::string_view code = {};
  std::string_view account = {};
  const std::vector<Echo> *echoes = nullptr;
  std::string_view issuer = {};
  const Claims *claims = nullptr;

  [[nodiscard]] std::optional<std::string_view> value(Input input, std::string_view name) const;
  [[nodiscard]] const Echo *echo(std::string_view name) const;
};

}  // namespace fleetauth::provider
