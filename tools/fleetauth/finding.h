#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/fleetauth/abi.h"

/// What fleetauth doctor found.
namespace fleetauth::command {

enum class State { Ok, Warning, Problem, Skipped };

struct Finding {
  State state = State::Ok;
  std::string check;
  std::string origin{};  ///< empty: it is of no origin
  std::string seen;
  std::string next{};                                              ///< what to do
  fleetauth_status status = FLEETAUTH_OK;                          ///< of a problem
  nlohmann::ordered_json data = nlohmann::ordered_json::object();  ///< for programs
};
using Findings = std::vector<Finding>;

/// The exit status of the first problem, or 0.
[[nodiscard]] int exit_status_of(const Findings &findings);
void tell(const Findings &findings);
[[nodiscard]] nlohmann::ordered_json as_json(const Findings &findings);

}  // namespace fleetauth::command
