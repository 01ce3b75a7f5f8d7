#pragma once

#include <openssl/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/fault/test_certificates.h"

namespace fleetauth::test {

/// The server's side of one connection, as a script uses it. Everything is literal: nothing is added to what is sent.
class RawConnection {
 public:
  RawConnection(class RawServer &server, int fd, SSL *tls) : server_(server), fd_(fd), tls_(tls) {}

  /// One request with its body (by Content-Length); empty when the client has left.
  std::string read_request();
  /// The bytes that have come, at least one and at most 4 KiB; empty when the client has left.
  std::string receive();
  /// Waits until the client has sent something, and leaves that unread.
  void await_bytes();
  /// False when the client has left.
  bool send(std::string_view bytes);
  /// Ends the connection in order, with a TLS goodbye.
  void close();
  /// Ends it without the TLS goodbye.
  void cut();
  /// Ends it with a TCP reset.
  void reset();
  /// Does nothing for so long, or until the client leaves or sends more.
  void pause(std::chrono::milliseconds time);
  /// Does nothing until the client leaves.
  void stall();
  /// Passes bytes on between the client and a port of 127.0.0.1 until one of them leaves.
  void tunnel(int port);
  /// Asks for another TLS 1.2 handshake; whether the client agreed.
  bool renegotiate();

 private:
  RawServer &server_;
  int fd_;
  SSL *tls_;
  std::string pending_;
};

/// How a server speaks TLS.
struct RawTls {
  Identity identity;
  int max_version = 0;  ///< such as TLS1_1_VERSION; 0 = the newest
  std::string ciphers;  ///< of TLS 1.2; empty = the default
};

/// A server on 127.0.0.1 that does exactly what its script says, each connection on a thread of its own. It ends with its
/// object, whatever its scripts are doing.
class RawServer {
 public:
  using Script = std::function<void(RawConnection &)>;

  /// The script runs once a connection is there and, with TLS, its handshake has succeeded.
  explicit RawServer(Script script, std::optional<RawTls> tls = std::nullopt);
  ~RawServer();
  RawServer(const RawServer &) = delete;
  RawServer &operator=(const RawServer &) = delete;

  [[nodiscard]] int port() const { return port_; }
  /// http(s)://127.0.0.1:port
  [[nodiscard]] std::string origin() const;
  /// TCP connections accepted so far.
  [[nodiscard]] int connections() const;
  /// Every request that a script has read, in order.
  [[nodiscard]] std::vector<std::string> requests() const;
  /// Every byte that has come, but for those below TLS.
  [[nodiscard]] std::string received() const;

  /// Answers every request of a connection with the same bytes.
  static Script always(std::string answer);

 private:
  friend class RawConnection;
  void accept_all();
  void serve(int fd);

  Script script_;
  std::shared_ptr<SSL_CTX> tls_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  bool closing_ = false;
  int accepted_ = 0;
  std::vector<int> open_;
  std::vector<std::string> requests_;
  std::string received_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// "HTTP/1.1 200 OK" with a JSON body.
[[nodiscard]] std::string json_answer(std::string_view body);

/// A port of 127.0.0.1 on which nobody listens.
[[nodiscard]] int closed_port();

}  // namespace fleetauth::test
