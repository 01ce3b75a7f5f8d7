// One client's connection, as the HTTP library's stream. Answers are collected and sent whole, so that a fault can
// change their bytes, and so that they leave in one TLS record.
#pragma once

#include <httplib.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "http.h"

namespace fleetauth::emulator {

class Connection final : public httplib::Stream {
 public:
  // Takes the socket over, which has its timeouts set. A null context means plain HTTP.
  Connection(int socket, SSL_CTX *context, std::uint64_t number);
  ~Connection() override;
  Connection(const Connection &) = delete;
  Connection &operator=(const Connection &) = delete;

  // The TLS handshake. False when it fails.
  bool open();
  // Waits for the first byte of a request. False on silence or the end.
  bool wait_for_request(int timeout_ms);
  // Sends the collected answer as `delivery` says. False when the connection must end.
  bool finish(const Delivery &delivery);

  std::uint64_t number() const { return number_; }
  std::uint64_t next_request() { return ++requests_; }
  Delivery delivery;  // set by the handler for the answer under way

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char *to, std::size_t size) override;
  ssize_t write(const char *from, std::size_t size) override;
  void get_remote_ip_and_port(std::string &ip, int &port) const override;
  void get_local_ip_and_port(std::string &ip, int &port) const override;
  // Never the real one: the library would refuse descriptors above FD_SETSIZE, which it does not use.
  socket_t socket() const override { return -1; }

 private:
  bool send_all(std::string_view bytes);

  int socket_;
  std::uint64_t number_;
  std::uint64_t requests_ = 0;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  bool broken_ = false;
  std::string pending_;
};

}  // namespace fleetauth::emulator
