#include "tools/fleetauth/console.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <iostream>

#include "tools/fleetauth/text.h"

namespace fleetauth::command {

namespace {

/// What a server sent need not be UTF-8.
std::string text_of(const nlohmann::json &json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

[[noreturn]] void not_written() { throw std::runtime_error(std::string("standard output was not written: ") + std::strerror(errno)); }

}  // namespace

void print(std::string_view text) {
  errno = 0;
  if (!(std::cout << text)) not_written();
}

void print_line(std::string_view line) {
  print(line);
  print("\n");
}

void print_json(const nlohmann::json &json) { print_line(text_of(json, 2)); }

void print_table(std::vector<std::vector<std::string>> rows) {
  std::vector<std::size_t> widths;
  for (auto &row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = printable(row[i]);
      widths[i] = std::max(widths[i], row[i].size());
    }
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

void finish_printing() {
  errno = 0;
  if (!std::cout.flush()) not_written();
}

void complain(std::string_view line) { std::cerr << "fleetauth: " << line << '\n'; }

void complain_json(const nlohmann::json &json) { std::cerr << text_of(json, -1) << '\n'; }

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
