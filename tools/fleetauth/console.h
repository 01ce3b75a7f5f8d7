#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the command reads from and writes to people: terminal, files, tables.
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

/// The whole of a file. Throws SetupError with the reason.
[[nodiscard]] std::string read_file(const std::string &path);
/// The first line of standard input, without its end.
[[nodiscard]] std::string read_line_from_stdin(const std::string &what_for);
[[nodiscard]] bool can_ask();
/// Asks on the terminal without showing what is typed.
[[nodiscard]] std::string ask_secret(const std::string &question);

void print_line(std::string_view line);
void print_json(const nlohmann::json &json);
void print_table(const std::vector<std::vector<std::string>> &rows);
void complain(std::string_view line);
void complain_json(const nlohmann::json &json);

/// "59 min 59 s".
[[nodiscard]] std::string duration(std::int64_t ms);
/// "2026-01-01T00:00:00Z".
[[nodiscard]] std::string instant(std::int64_t wall_ms);

}  // namespace fleetauth::command
