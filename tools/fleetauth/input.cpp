#include "tools/fleetauth/input.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>

#include "tools/fleetauth/console.h"

extern char **environ;  // NOLINT(readability-redundant-declaration)

namespace fleetauth::command {

namespace {

constexpr std::size_t kLongestLine = 64U << 10U;
constexpr std::size_t kLargestFile = 16U << 20U;

/// Room for what follows, so that a secret is not left behind in outgrown buffers.
std::string with_room() {
  std::string text;
  text.reserve(kLongestLine);
  return text;
}

struct File {
  explicit File(const std::string &path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  int fd;
};

/// One line, byte by byte: the next reader finds the next line. False at the end, or when a signal came.
bool read_line(std::string &line) {
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) == 1) {
    if (byte == '\n') return true;
    if (line.size() == kLongestLine) throw SetupError("a line of standard input is longer than 64 KiB");
    line.push_back(byte);
  }
  return !line.empty();
}

volatile std::sig_atomic_t caught_signal = 0;
extern "C" void catch_signal(int number) { caught_signal = number; }

/// While it lives the terminal shows nothing that is typed. A signal that would end or stop the program only ends the reading;
/// it is raised again when the terminal is as it was.
class HiddenTyping {
 public:
  HiddenTyping() {
    ::tcgetattr(STDIN_FILENO, &shown_);
    struct sigaction act {};
    act.sa_handler = catch_signal;  // without SA_RESTART
    for (std::size_t i = 0; i < kEnding.size(); ++i) ::sigaction(kEnding[i], &act, &before_[i]);
    termios hidden = shown_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~HiddenTyping() {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown_);
    for (std::size_t i = 0; i < kEnding.size(); ++i) ::sigaction(kEnding[i], &before_[i], nullptr);
    std::cerr << '\n';
    if (caught_signal != 0) ::raise(caught_signal);
  }
  HiddenTyping(const HiddenTyping &) = delete;
  HiddenTyping &operator=(const HiddenTyping &) = delete;

 private:
  // SIGTSTP too: who goes on after it has a terminal that shows what is typed.
  static constexpr std::array kEnding = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
  termios shown_{};
  std::array<struct sigaction, kEnding.size()> before_{};
};

}  // namespace

std::string read_file(const std::string &path) {
  const auto fail = [&] { throw SetupError("cannot read " + path + ": " + ::strerror(errno)); };
  const File file(path);
  if (file.fd < 0) fail();
  std::string text = with_room();
  std::array<char, 4096> chunk{};
  ssize_t size = 0;
  while ((size = ::read(file.fd, chunk.data(), chunk.size())) > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(size));
    if (text.size() > kLargestFile) throw SetupError(path + " is larger than 16 MiB");
  }
  ::explicit_bzero(chunk.data(), chunk.size());
  if (size < 0) fail();
  return text;
}

std::string read_secret_file(const std::string &path) { return without_line_end(read_file(path)); }

std::string read_line_from_stdin(const std::string &what_for) {
  std::string line = with_room();
  if (!read_line(line)) throw SetupError("standard input ended before the value of " + what_for);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

bool can_ask() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

std::string ask_secret(const std::string &question) {
  std::cerr << question << " (not shown): " << std::flush;
  std::string line = with_room();
  const HiddenTyping hidden;
  if (!read_line(line)) throw SetupError("nothing was typed for " + question);
  return line;
}

std::string output_of(std::vector<std::string> argv, const std::string &where) {
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) throw SetupError(where + ": no pipe for the command");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  std::vector<char *> pointers;
  for (std::string &word : argv) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  if (failed != 0) {
    ::close(pipe_ends[0]);
    throw SetupError(where + ": cannot run " + argv[0] + ": " + ::strerror(failed));
  }
  std::string text = with_room();
  std::array<char, 4096> chunk{};
  for (ssize_t n = 0; text.size() <= kLargestFile && (n = ::read(pipe_ends[0], chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<std::size_t>(n));
  }
  ::explicit_bzero(chunk.data(), chunk.size());
  ::close(pipe_ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (text.size() > kLargestFile) throw SetupError(where + ": " + argv[0] + " prints more than 16 MiB");
  if (!WIFEXITED(status)) throw SetupError(where + ": " + argv[0] + " was killed");
  if (WEXITSTATUS(status) != 0) throw SetupError(where + ": " + argv[0] + " failed with status " + std::to_string(WEXITSTATUS(status)));
  return without_line_end(std::move(text));
}

std::string first_line_of(const std::string &command, const std::string &where) {
  const Secret printed(output_of({"/bin/sh", "-c", command}, where));
  std::string line = without_line_end(printed.text().substr(0, printed.text().find('\n')));
  if (line.empty()) throw SetupError(where + ": the command printed nothing");
  return line;
}

std::string without_line_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

void wipe(std::string &text) noexcept { ::explicit_bzero(text.data(), text.size()); }

}  // namespace fleetauth::command
