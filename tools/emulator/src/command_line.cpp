#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "fleetauth/emulator/emulator.h"

namespace fleetauth::emulator {
namespace {

using nlohmann::json;

constexpr int exit_failure = 1;
constexpr int exit_usage = 2;

constexpr const char *usage =
    "usage: fleetauth-emulator [options]\n"
    "Speaks the providers' authentication on loopback, over TLS with a test CA made at each start.\n"
    "\n"
    "  --port N         port to listen on; 0 (the default) picks a free one\n"
    "  --host HOST      127.0.0.1 (the default), ::1 or localhost\n"
    "  --dir DIR        where ca.pem and server.pem are written; default: a temporary directory\n"
    "  --config FILE    accounts and settings, JSON as in POST /_emulator/config\n"
    "  --json           print one JSON line when ready, instead of text\n"
    "  --with-parent    end when standard input closes, and so together with the parent process\n"
    "  --http           plain HTTP instead of TLS, for fuzzing and benchmarks only\n"
    "  --help           this text\n"
    "\n"
    "Ends on SIGTERM, SIGINT or POST /_emulator/shutdown. Exit status: 0 ended as asked, 1 failed, 2 wrong usage.\n";

struct CommandLine {
  Options options;
  std::string config_file;
  bool as_json = false;
  bool with_parent = false;
  bool help = false;
};

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::uint16_t parse_port(const std::string &text) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc() || end != text.data() + text.size()) throw UsageError("--port takes a number from 0 to 65535");
  return port;
}

CommandLine parse(int argc, char **argv) {
  enum Flag { port = 1, host, dir, config, as_json, with_parent, http, help };
  static constexpr std::array<option, 9> known{{{"port", required_argument, nullptr, port},
                                                {"host", required_argument, nullptr, host},
                                                {"dir", required_argument, nullptr, dir},
                                                {"config", required_argument, nullptr, config},
                                                {"json", no_argument, nullptr, as_json},
                                                {"with-parent", no_argument, nullptr, with_parent},
                                                {"http", no_argument, nullptr, http},
                                                {"help", no_argument, nullptr, help},
                                                {nullptr, 0, nullptr, 0}}};
  CommandLine line;
  optind = 0;  // the host command may have used getopt before
  opterr = 0;
  while (true) {
    switch (getopt_long(argc, argv, ":", known.data(), nullptr)) {
      case -1:
        if (optind < argc) throw UsageError(std::string("unexpected argument: ") + argv[optind]);
        return line;
      case port:
        line.options.port = parse_port(optarg);
        break;
      case host:
        line.options.host = optarg;
        break;
      case dir:
        line.options.directory = optarg;
        break;
      case config:
        line.config_file = optarg;
        break;
      case as_json:
        line.as_json = true;
        break;
      case with_parent:
        line.with_parent = true;
        break;
      case http:
        line.options.plain_http = true;
        break;
      case help:
        line.help = true;
        break;
      case ':':
        throw UsageError(std::string(argv[optind - 1]) + " needs a value");
      default:
        throw UsageError(std::string("unknown option: ") + argv[optind - 1]);
    }
  }
}

std::string read_file(const std::string &path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  if (!file || !content) throw StartError("cannot read the configuration file " + path);
  return content.str();
}

// Blocks the ending signals in this thread and all that it starts, and makes them readable instead.
class EndingSignals {
 public:
  EndingSignals() {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, &before_);
    fd_ = signalfd(-1, &ending, SFD_CLOEXEC);
  }
  ~EndingSignals() {
    if (fd_ >= 0) close(fd_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  EndingSignals(const EndingSignals &) = delete;
  EndingSignals &operator=(const EndingSignals &) = delete;

  int fd() const { return fd_; }
  // So that a signal which already did its work does not end the process when it is unblocked.
  void consume() const {
    signalfd_siginfo info{};
    [[maybe_unused]] const ssize_t size = read(fd_, &info, sizeof info);
  }

 private:
  sigset_t before_{};
  int fd_ = -1;
};

bool stdin_ended() {
  std::array<char, 256> ignored{};
  const ssize_t size = read(STDIN_FILENO, ignored.data(), ignored.size());
  return size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN);
}

void wait_for_the_end(const Emulator &emulator, const EndingSignals &signals, bool with_parent) {
  std::array<pollfd, 3> watched{
      {{signals.fd(), POLLIN, 0}, {emulator.shutdown_fd(), POLLIN, 0}, {with_parent ? STDIN_FILENO : -1, POLLIN, 0}}};
  while (true) {
    if (poll(watched.data(), watched.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (watched[0].revents != 0) {
      signals.consume();
      return;
    }
    if (watched[1].revents != 0) return;
    if (watched[2].revents != 0 && stdin_ended()) return;
  }
}

void print_ready(const Emulator &emulator, bool as_json) {
  const json base_urls = json::parse(emulator.base_urls_json());
  if (as_json) {
    std::cout << json{{"port", emulator.port()},
                      {"url", emulator.url()},
                      {"ca_file", emulator.ca_file()},
                      {"admin_token", emulator.admin_token()},
                      {"providers", base_urls}}
                     .dump()
              << std::endl;
    return;
  }
  std::cout << "The emulator listens on " << emulator.url() << '\n';
  for (const auto &[provider, bases] : base_urls.items()) {
    for (const auto &[name, url] : bases.items()) {
      std::cout << "  " << provider << " (" << name << "): " << url.get<std::string>() << '\n';
    }
  }
  if (!emulator.ca_file().empty()) std::cout << "CA file:     " << emulator.ca_file() << '\n';
  std::cout << "Admin API:   " << emulator.url() << "/_emulator\n"
            << "Admin token: " << emulator.admin_token() << '\n'
            << "Ctrl-C ends it." << std::endl;
}

}  // namespace

int emulator_main(int argc, char **argv) {
  try {
    CommandLine line = parse(argc, argv);
    if (line.help) {
      std::cout << usage;
      return 0;
    }
    if (!line.config_file.empty()) line.options.config_json = read_file(line.config_file);
    const EndingSignals signals;
    const auto emulator = Emulator::start(line.options);
    print_ready(*emulator, line.as_json);
    wait_for_the_end(*emulator, signals, line.with_parent);
    emulator->stop();
    return 0;
  } catch (const UsageError &error) {
    std::cerr << "fleetauth-emulator: " << error.what() << "\n\n" << usage;
    return exit_usage;
  } catch (const std::exception &error) {
    std::cerr << "fleetauth-emulator: " << error.what() << '\n';
    return exit_failure;
  }
}

}  // namespace fleetauth::emulator
