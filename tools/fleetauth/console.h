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

/// These throw when standard output does not take what is printed, on a full disk for instance.
void print(std::string_view text);
void print_line(std::string_view line);
void print_json(const nlohmann::json &json);
/// With ? in place of control characters, which could do what they like to a terminal.
void print_table(std::vector<std::vector<std::string>> rows);
void finish_printing();

void complain(std::string_view line);
void complain_json(const nlohmann::json &json);

/// "59 min 59 s".
[[nodiscard]] std::string duration(std::int64_t ms);
/// "2026-01-01T00:00:00Z".
[[nodiscard]] std::string instant(std::int64_t wall_ms);

}  // namespace fleetauth::command
