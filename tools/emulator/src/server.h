// HTTP/1.1 over TLS on loopback: a thread for each connection, so that a delayed answer delays nobody else.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http.h"

namespace fleetauth::emulator {

class HttpServer {
 public:
  // Called on the connections' threads, several at once.
  using Handler = std::function<Response(Request &)>;

  // A null context serves plain HTTP.
  HttpServer(std::shared_ptr<SSL_CTX> context, Handler handler);
  ~HttpServer();

  // `host` is a numeric address; port 0 picks one. Answers the port. Throws std::runtime_error.
  std::uint16_t start(const std::string &host, std::uint16_t port);
  // Cuts all connections and joins all threads. The handler must not block for ever.
  void stop();

 private:
  class Listener;
  std::unique_ptr<Listener> listener_;
};

}  // namespace fleetauth::emulator
