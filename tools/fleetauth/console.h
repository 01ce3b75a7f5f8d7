#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// What the command tells people and programs: results on standard output, everything else on standard error.
namespace fleetauth::command {

/// The command line is wrong: exit status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A file, profile or variable is wrong: the exit status of ConfigurationError.
class SetupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void print(std::string_view text);
void print_line(std::string_view line);
void print_json(const nlohmann::json &json);
void print_table(const std::vector<std::vector<std::string>> &rows);
/// Throws when something printed was not taken, on a full disk for instance.
void finish_printing();

void complain(std::string_view line);
void complain_json(const nlohmann::json &json);

/// "59 min 59 s".
[[nodiscard]] std::string duration(std::int64_t ms);
/// "2026-01-01T00:00:00Z".
[[nodiscard]] std::string instant(std::int64_t wall_ms);

}  // namespace fleetauth::command
