#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fixture.h"

extern char **environ;

namespace fleetauth::emulator {
namespace {

// The command as a child process with pipes.
class Command {
 public:
  explicit Command(std::vector<std::string> arguments) {
    int in[2];
    int out[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
    arguments.insert(arguments.begin(), EMULATOR_COMMAND);
    std::vector<char *> argv;
    for (std::string &argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, EMULATOR_COMMAND, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    stdin_ = in[1];
    stdout_ = out[0];
  }
  ~Command() {
    close_stdin();
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(stdout_);
  }
  Command(const Command &) = delete;
  Command &operator=(const Command &) = delete;

  std::string read_line() const {
    std::string line;
    char c = 0;
    while (read(stdout_, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }
  std::string read_all() const {
    std::string text;
    char c = 0;
    while (read(stdout_, &c, 1) == 1) text += c;
    return text;
  }
  void close_stdin() {
    if (stdin_ >= 0) close(std::exchange(stdin_, -1));
  }
  void send(int signal) const { kill(pid_, signal); }
  // The exit status; 128 + n when a signal ended it.
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
};

httplib::Result login(const json &ready) {
  httplib::SSLClient client("127.0.0.1", ready["port"].get<int>());
  client.set_ca_cert_path(ready["ca_file"].get<std::string>().c_str());
  client.enable_server_certificate_verification(true);
  return client.Post("/fleetup/token", {{"x-api-key", "demo-api-key"}}, R"({"acctId":7,"secret":"seven"})", "application/json");
}

class EmulatorCommandLine : public testing::Test {
 protected:
  EmulatorCommandLine() { std::filesystem::create_directories(directory); }
  ~EmulatorCommandLine() override { std::filesystem::remove_all(directory); }

  std::string config(const std::string &text) const {
    const auto path = directory / "config.json";
    std::ofstream(path) << text;
    return path.string();
  }

  std::filesystem::path directory = std::filesystem::path(testing::TempDir()) / ("emulator-" + std::to_string(getpid()));
};

TEST_F(EmulatorCommandLine, PrintsOneJsonLineWhenReadyAndEndsOnSigterm) {
  const std::string accounts = R"({"fleetup":{"accounts":[{"acctId":7,"secret":"seven","api_key":"demo-api-key"}]}})";
  Command command({"--json", "--dir", directory.string(), "--config", config(accounts)});
  const json ready = json::parse(command.read_line());
  EXPECT_EQ(ready["url"], "https://127.0.0.1:" + std::to_string(ready["port"].get<int>()));
  EXPECT_EQ(ready["ca_file"], (directory / "ca.pem").string());
  EXPECT_EQ(ready["admin_token"].get<std::string>().size(), 48U);
  EXPECT_EQ(ready["providers"]["my_connected_fleet"]["auth"], ready["url"].get<std::string>() + "/mcf-auth");
  EXPECT_EQ(login(ready)->status, 200);
  command.send(SIGTERM);
  EXPECT_EQ(command.wait(), 0);
  EXPECT_EQ(command.read_all(), "");
}

TEST_F(EmulatorCommandLine, EndsOnSigint) {
  Command command({"--json"});
  const json ready = json::parse(command.read_line());
  command.send(SIGINT);
  EXPECT_EQ(command.wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(ready["ca_file"].get<std::string>()));
}

TEST_F(EmulatorCommandLine, EndsWithItsParentIfTold) {
  Command command({"--json", "--with-parent"});
  command.read_line();
  command.close_stdin();
  EXPECT_EQ(command.wait(), 0);
}

TEST_F(EmulatorCommandLine, EndsWhenTheAdminApiSaysSo) {
  Command command({"--json"});
  const json ready = json::parse(command.read_line());
  command.close_stdin();  // means nothing without --with-parent
  httplib::SSLClient client("127.0.0.1", ready["port"].get<int>());
  client.set_ca_cert_path(ready["ca_file"].get<std::string>().c_str());
  client.enable_server_certificate_verification(true);
  const auto answer =
      client.Post("/_emulator/shutdown", {{"Authorization", "Bearer " + ready["admin_token"].get<std::string>()}}, "", "application/json");
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(command.wait(), 0);
}

TEST_F(EmulatorCommandLine, TellsPeopleWhereItListens) {
  Command command({});
  EXPECT_THAT(command.read_line(), testing::StartsWith("The emulator listens on https://127.0.0.1:"));
}

TEST_F(EmulatorCommandLine, WrongUsageIsExplained) {
  const std::vector<std::vector<std::string>> wrong{{"--prot", "1"}, {"--port"}, {"--port", "65536"}, {"--port", "x"}, {"here"}};
  for (const auto &arguments : wrong) {
    Command command(arguments);
    EXPECT_THAT(command.read_all(), testing::HasSubstr("usage:")) << arguments[0];
    EXPECT_EQ(command.wait(), 2) << arguments[0];
  }
}

TEST_F(EmulatorCommandLine, HelpIsNoError) {
  Command command({"--help"});
  EXPECT_THAT(command.read_all(), testing::StartsWith("usage:"));
  EXPECT_EQ(command.wait(), 0);
}

TEST_F(EmulatorCommandLine, BadConfigurationIsAClearError) {
  Command missing({"--config", "/nowhere/at/all"});
  EXPECT_THAT(missing.read_all(), testing::HasSubstr("cannot read the configuration file /nowhere/at/all"));
  EXPECT_EQ(missing.wait(), 1);
  Command malformed({"--config", config("{")});
  EXPECT_THAT(malformed.read_all(), testing::HasSubstr("not valid JSON"));
  EXPECT_EQ(malformed.wait(), 1);
  Command wrong({"--config", config(R"({"fleetup":{"lifetime_s":"1h"}})")});
  EXPECT_THAT(wrong.read_all(), testing::HasSubstr("fleetup.lifetime_s must be an integer"));
  EXPECT_EQ(wrong.wait(), 1);
}

}  // namespace
}  // namespace fleetauth::emulator
