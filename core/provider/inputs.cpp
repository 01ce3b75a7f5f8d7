#include "core/provider/inputs.h"

#include <algorithm>

namespace fleetauth::provider {

const Echo *Inputs::echo(std::string_view name) const {
  if (echoes == nullptr) return nullptr;
  const auto found = std::find_if(echoes->begin(), echoes->end(), [&](const Echo &echo) { return echo.name == name; });
  return found == echoes->end() ? nullptr : &*found;
}

std::optional<std::string_view> Inputs::value(Input input, std::string_view name) const {
  std::string_view found;
  switch (input) {
    case Input::Token:
      found = token;
      break;
    case Input::RefreshToken:
      found = refresh_token;
      break;
    case Input::Code:
      found = code;
      break;
    case Input::Account:
      found = account;
      break;
    case Input::Echo:
      if (const Echo *repeated = echo(name)) found = repeated->text.view();
      break;
    case Input::Issuer:
      found = issuer;
      break;
    case Input::Claims:
      if (claims != nullptr) found = claims->json;
      break;
    case Input::Claim:
      if (const std::string *id = claims == nullptr ? nullptr : claims->id(name)) found = *id;
      break;
  }
  if (found.empty()) return std::nullopt;
  return found;
}

}  // namespace fleetauth::provider
