// What of a request may stand in the log: names, and values of members which the provider calls public.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http.h"

namespace fleetauth::emulator {

using PublicNames = std::set<std::string, std::less<>>;

class Redactor {
 public:
  // `is_token` tells whether a word is a token that was given out.
  explicit Redactor(std::function<bool(std::string_view)> is_token) : is_token_(std::move(is_token)) {}

  // Takes known secrets out of free text, such as a path.
  std::string text(std::string text, const std::vector<std::string> &secrets) const;
  json fields(const Fields &fields, const PublicNames &public_names, const std::vector<std::string> &secrets) const;
  // JSON and forms keep their shape; of anything else only the size is told.
  json body(const Request &request, const PublicNames &public_names, const std::vector<std::string> &secrets) const;

 private:
  json value(const json &value, bool is_public, const PublicNames &public_names, const std::vector<std::string> &secrets, int depth) const;

  std::function<bool(std::string_view)> is_token_;
};

}  // namespace fleetauth::emulator
