#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

/// What the command reads from files, programs, standard input and people. Throws SetupError with the reason.
namespace fleetauth::command {

/// The whole of a file.
[[nodiscard]] std::string read_file(const std::string &path);
/// The same without the end of its last line.
[[nodiscard]] std::string read_secret_file(const std::string &path);
/// The next line of standard input, without its end. Reads no further.
[[nodiscard]] std::string read_line_from_stdin(const std::string &what_for);
/// Whether standard input and error are a terminal.
[[nodiscard]] bool can_ask();
/// Asks on the terminal without showing what is typed. A signal that ends the program leaves the terminal as it was.
[[nodiscard]] std::string ask_secret(const std::string &question);

/// What a program prints that is run without a shell, without the end of its last line. A program that fails is an error, which
/// begins with `where` and does not repeat the arguments.
[[nodiscard]] std::string output_of(std::vector<std::string> argv, const std::string &where);
/// The first line that a command of the shell prints, without its end; an empty one is an error.
[[nodiscard]] std::string first_line_of(const std::string &command, const std::string &where);

[[nodiscard]] std::string without_line_end(std::string text);

void wipe(std::string &text) noexcept;

/// A text that is wiped when it goes.
class Secret {
 public:
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret &) = delete;
  Secret &operator=(const Secret &) = delete;
  ~Secret() { wipe(text_); }
  [[nodiscard]] const std::string &text() const { return text_; }

 private:
  std::string text_;
};

/// Options by name, secrets among them: wiped when it goes.
class Values : public std::map<std::string, std::string> {
 public:
  Values() = default;
  Values(Values &&) = default;
  Values &operator=(Values &&) = default;
  Values(const Values &) = delete;
  Values &operator=(const Values &) = delete;
  ~Values() {
    for (auto &[name, value] : *this) wipe(value);
  }
};

}  // namespace fleetauth::command
