#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

/// Child processes that are waited for, and end by themselves when they hang.
namespace process {

inline constexpr unsigned kPatienceSeconds = 20;

/// What waits for a request that nobody answers takes longer, the 15 s of an attempt; what does not wait, far less even on a busy machine.
inline constexpr std::chrono::seconds kWithoutWaiting{10};

/// How often something is done that a variable of the environment may ask for more of.
inline int times(const char *variable, int otherwise) {
  const char *asked = std::getenv(variable);
  return asked == nullptr ? otherwise : std::atoi(asked);
}

struct Ended {
  int status = -1;  ///< as the exit status; 128 + n for a signal
  std::chrono::milliseconds time{0};
};

inline Ended wait_for(pid_t child) {
  const auto before = std::chrono::steady_clock::now();
  int status = 0;
  TEMP_FAILURE_RETRY(waitpid(child, &status, 0));
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before);
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), time};
}

/// Forks; the child's exit status is what `body` answers.
inline pid_t in_child(const std::function<int()> &body) {
  const pid_t child = fork();
  if (child != 0) return child;
  alarm(kPatienceSeconds);
  _exit(body());
}

/// Starts a program, which may end without releasing what it has. `more` comes before the environment of this one.
inline pid_t spawn(const std::vector<std::string> &command, const std::vector<std::string> &more = {}) {
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
  std::vector<char *> arguments;
  std::vector<char *> environment;
  for (const std::string &argument : command) arguments.push_back(const_cast<char *>(argument.c_str()));
  for (const std::string &variable : more) environment.push_back(const_cast<char *>(variable.c_str()));
  for (char **variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);
  arguments.push_back(nullptr);
  environment.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  alarm(kPatienceSeconds);
  execve(arguments[0], arguments.data(), environment.data());
  _exit(127);
}

}  // namespace process
