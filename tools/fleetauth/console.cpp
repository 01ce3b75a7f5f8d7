#include "tools/fleetauth/console.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>

namespace fleetauth::command {

std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw SetupError("cannot read " + path + ": " + std::strerror(errno));
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad() || text.fail()) throw SetupError("cannot read " + path + "; is it a file?");
  return std::move(text).str();
}

std::string read_line_from_stdin(const std::string &what_for) {
  std::string line;
  if (!std::getline(std::cin, line)) throw SetupError("standard input ended before the value of " + what_for);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

bool can_ask() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

std::string ask_secret(const std::string &question) {
  std::cerr << question << ": " << std::flush;
  termios shown{};
  ::tcgetattr(STDIN_FILENO, &shown);
  termios hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  std::string line;
  std::getline(std::cin, line);
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
  std::cerr << '\n';
  return line;
}

void print_line(std::string_view line) { std::cout << line << '\n'; }
void print_json(const nlohmann::json &json) { std::cout << json.dump(2) << '\n'; }

void print_table(const std::vector<std::vector<std::string>> &rows) {
  std::vector<std::size_t> widths;
  for (const auto &row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto &row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    print_line(line);
  }
}

void complain(std::string_view line) { std::cerr << "fleetauth: " << line << '\n'; }

void complain_json(const nlohmann::json &json) { std::cerr << json.dump() << '\n'; }

std::string duration(std::int64_t ms) {
  const std::int64_t seconds = ms / 1000;
  const auto part = [](std::int64_t n, const char *unit) { return std::to_string(n) + " " + unit; };
  if (seconds >= 86'400) return part(seconds / 86'400, "d ") + part(seconds % 86'400 / 3600, "h");
  if (seconds >= 3600) return part(seconds / 3600, "h ") + part(seconds % 3600 / 60, "min");
  if (seconds >= 60) return part(seconds / 60, "min ") + part(seconds % 60, "s");
  return part(seconds, "s");
}

std::string instant(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text, size};
}

}  // namespace fleetauth::command
