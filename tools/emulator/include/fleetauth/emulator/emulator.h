// The provider emulator: speaks the providers' authentication on loopback, with faults on demand.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace fleetauth::emulator {

// Why the emulator could not start. The text says what to do.
class StartError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Options {
  // "127.0.0.1", "::1" or "localhost" (which listens on 127.0.0.1). The emulator never leaves loopback.
  std::string host = "127.0.0.1";
  // 0 picks a free port.
  std::uint16_t port = 0;
  // Where ca.pem and server.pem (certificates, never keys) are written; created if absent.
  // Empty: a private temporary directory, removed by stop().
  std::string directory;
  // Accounts and settings as JSON text, as in POST /_emulator/config. Empty: the documented defaults.
  std::string config_json;
  // Serve plain HTTP instead of TLS, for fuzzing and benchmarks only.
  bool plain_http = false;
};

// A running emulator. All members may be called from any thread; stop() and the destructor from one.
class Emulator {
 public:
  // Listens and answers when it returns. Throws StartError.
  static std::unique_ptr<Emulator> start(const Options &options);

  ~Emulator();
  Emulator(const Emulator &) = delete;
  Emulator &operator=(const Emulator &) = delete;

  std::uint16_t port() const;
  // "https://127.0.0.1:PORT", without a slash at the end.
  std::string url() const;
  // The test CA's certificate, PEM. Empty in plain HTTP mode.
  std::string ca_pem() const;
  // The file which holds ca_pem(). Empty in plain HTTP mode.
  std::string ca_file() const;
  // The bearer token which the admin API under /_emulator asks for.
  std::string admin_token() const;
  // JSON text: provider name -> {base URL name -> URL}.
  std::string base_urls_json() const;

  // Readable once somebody asked for the end through POST /_emulator/shutdown. Owned by the emulator.
  int shutdown_fd() const;
  // Ends all connections and joins all threads. May be called twice.
  void stop();

 private:
  struct Parts;
  explicit Emulator(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// The whole command: `fleetauth-emulator`, and what `fleetauth emulate` calls. Returns the exit status.
int emulator_main(int argc, char **argv);

}  // namespace fleetauth::emulator
