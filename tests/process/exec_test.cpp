// Programs that are started while the library works: nothing of its own is open in them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/capi/emulator.h"
#include "tests/process/child.h"

namespace process {
namespace {

using capi::Client;
using capi::get_token;
using capi::Outcome;
using capi::Queue;
using capi::Runtime;

/// The descriptors that a program started now has, but its output; each with what it is.
std::set<std::string> inherited() {
  std::array<int, 2> out{};
  EXPECT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string command = DESCRIPTORS_COMMAND;
  std::array<char *, 2> arguments{command.data(), nullptr};
  pid_t child = -1;
  EXPECT_EQ(posix_spawn(&child, command.c_str(), &actions, nullptr, arguments.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  std::set<std::string> found;
  std::FILE *lines = fdopen(out[0], "r");
  std::array<char, 4096> line{};
  while (std::fgets(line.data(), line.size(), lines) != nullptr) {
    if (!std::string(line.data()).starts_with("1 ")) found.insert(line.data());
  }
  std::fclose(lines);
  EXPECT_EQ(wait_for(child).status, 0);
  return found;
}

/// A file whose reader waits, with the file open, until it is written.
class SlowFile {
 public:
  SlowFile() {
    std::string pattern = std::filesystem::temp_directory_path() / "fleetauth-test-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    EXPECT_EQ(mkfifo(path().c_str(), 0600), 0);
  }
  ~SlowFile() { std::filesystem::remove_all(folder_); }
  SlowFile(const SlowFile &) = delete;
  SlowFile &operator=(const SlowFile &) = delete;

  [[nodiscard]] std::string path() const { return folder_ / "file"; }
  /// Calls `meanwhile` when somebody has opened it, then lets them read.
  template <class Meanwhile>
  void write(const std::string &content, Meanwhile meanwhile) {
    const int fd = open(path().c_str(), O_WRONLY | O_CLOEXEC);
    meanwhile();
    EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    close(fd);
  }

 private:
  std::filesystem::path folder_;
};

std::string content_of(const std::string &path) { return (std::ostringstream() << std::ifstream(path).rdbuf()).str(); }

class Exec : public ::testing::TestWithParam<const char *> {
 protected:
  void SetUp() override {
    before = inherited();
    runtime = capi::make_runtime({{"mode", GetParam()}});
  }

  [[nodiscard]] capi::Texts minter_options() const {
    return {{"base_url", emulator.url() + "/fleet-engine"}, {"ca_file", emulator.ca_file()}, {"proxy", "none"}, {"claim_set", "server"}};
  }

  capi::Emulator emulator;
  std::set<std::string> before;
  Runtime runtime;
};

TEST_P(Exec, P03_T25_NothingIsInheritedFromARequestInFlight) {
  const std::string by_name = "https://localhost" + emulator.url().substr(emulator.url().rfind(':')) + "/fleetup";
  const Client client = capi::make_client(runtime.get(), "fleetup", capi::fleetup_options(emulator, {{"base_url", by_name}}));
  const Queue queue = capi::make_queue(runtime.get());
  ASSERT_GE(fleetauth_queue_wakeup_fd(queue.get()), 0);
  emulator.fault({{"times", 1}, {"do", {{"hold", "exec"}}}});
  const capi::Op op = capi::start(client.get(), queue.get(), 1);
  while (emulator.requests("token") == 0) capi::take_outcome(queue.get(), 1);
  EXPECT_EQ(inherited(), before);
  emulator.admin("POST", "/release", {{"gate", "exec"}});
  const Outcome outcome = capi::take_outcome(queue.get());
  EXPECT_EQ(outcome.name(), "OK") << outcome.message();
}

TEST_P(Exec, P03_T25_NothingIsInheritedWhileTheCaFileIsRead) {
  SlowFile ca_file;
  const Client client = capi::make_client(runtime.get(), "fleetup", capi::fleetup_options(emulator, {{"ca_file", ca_file.path()}}));
  Outcome outcome;
  std::thread caller([&] { outcome = get_token(client.get()); });
  ca_file.write(content_of(emulator.ca_file()), [&] { EXPECT_EQ(inherited(), before); });
  caller.join();
  EXPECT_EQ(outcome.name(), "OK") << outcome.message();
}

TEST_P(Exec, P03_T25_NothingIsInheritedWhileAKeyFileIsRead) {
  SlowFile key_file;
  capi::Texts options = minter_options();
  options.emplace_back("service_account_file", key_file.path());
  Client client;
  std::thread caller([&] { client = capi::make_client(runtime.get(), "fleet_engine", options); });
  key_file.write(emulator.admin("GET", "/fleet_engine/service_account").dump(), [&] { EXPECT_EQ(inherited(), before); });
  caller.join();
  const Outcome outcome = get_token(client.get());
  EXPECT_EQ(outcome.name(), "OK") << outcome.message();
}

// A descriptor must be closed on exec from the moment it exists.
TEST_P(Exec, P03_T25_NothingIsInheritedUnderLoad) {
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!over) {
        const Runtime own = capi::make_runtime({{"mode", GetParam()}});
        const Client client = capi::make_client(own.get(), "fleetup", capi::fleetup_options(emulator));
        EXPECT_EQ(get_token(client.get()).name(), "OK");
      }
    });
  }
  for (int i = 0; i < times("FLEETAUTH_FORKS", 100); ++i) EXPECT_EQ(inherited(), before);
  over = true;
  for (std::thread &thread : threads) thread.join();
}

INSTANTIATE_TEST_SUITE_P(Modes, Exec, ::testing::Values("threaded", "manual"));

}  // namespace
}  // namespace process
