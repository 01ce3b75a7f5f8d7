#include "tests/fault/raw_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>

namespace fleetauth::test {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// A socket of 127.0.0.1 with a port of the system's choice.
int bound_socket(int &port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto *generic = reinterpret_cast<sockaddr *>(&address);
  if (fd < 0 || bind(fd, generic, size) != 0 || getsockname(fd, generic, &size) != 0) throw std::runtime_error("no test port");
  port = ntohs(address.sin_port);
  return fd;
}

std::shared_ptr<SSL_CTX> make_context(const RawTls &tls) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_set_security_level(context.get(), 0);  // bad servers are what this is for
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  if (tls.max_version != 0) SSL_CTX_set_max_proto_version(context.get(), tls.max_version);
  const bool usable = (tls.ciphers.empty() || SSL_CTX_set_cipher_list(context.get(), tls.ciphers.c_str()) == 1) &&
                      SSL_CTX_use_certificate(context.get(), tls.identity.certificate.get()) == 1 &&
                      SSL_CTX_use_PrivateKey(context.get(), tls.identity.key.get()) == 1;
  if (!usable) throw std::runtime_error("unusable test identity");
  return context;
}

std::size_t content_length(std::string_view head) {
  for (const char *name : {"Content-Length: ", "content-length: "}) {
    const std::size_t at = head.find(name);
    if (at != std::string_view::npos) return std::strtoul(std::string(head.substr(at + 16, 20)).c_str(), nullptr, 10);
  }
  return 0;
}

// Lets whatever blocks on the connection return.
void shut(int fd) { shutdown(fd, SHUT_RDWR); }

}  // namespace

// ---------------------------------------------------------------- a connection

std::string RawConnection::receive() {
  std::array<char, 4096> buffer{};
  const auto got = tls_ != nullptr ? SSL_read(tls_, buffer.data(), buffer.size()) : recv(fd_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return {};
  const std::string bytes(buffer.data(), static_cast<std::size_t>(got));
  const std::lock_guard lock(server_.mutex_);
  server_.received_ += bytes;
  return bytes;
}

std::string RawConnection::read_request() {
  std::size_t wanted = std::string::npos;
  while (true) {
    const std::size_t head = pending_.find("\r\n\r\n");
    if (head != std::string::npos) wanted = head + 4 + content_length(std::string_view(pending_).substr(0, head));
    if (pending_.size() >= wanted && head != std::string::npos) break;
    const std::string bytes = receive();
    if (bytes.empty()) return {};
    pending_ += bytes;
  }
  std::string request = pending_.substr(0, wanted);
  pending_.erase(0, wanted);
  const std::lock_guard lock(server_.mutex_);
  server_.requests_.push_back(request);
  return request;
}

void RawConnection::pause(std::chrono::milliseconds time) {
  pollfd poll{fd_, POLLIN, 0};
  (void)::poll(&poll, 1, static_cast<int>(time.count()));
}

void RawConnection::await_bytes() {
  char first = 0;
  (void)recv(fd_, &first, sizeof first, MSG_PEEK);
}

bool RawConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long sent = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                      : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawConnection::close() {
  if (tls_ != nullptr) SSL_shutdown(tls_);
  shut(fd_);
}

void RawConnection::cut() { shut(fd_); }

void RawConnection::reset() {
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  // The number stays valid for its owner, but its socket is gone: closing the last copy sends the reset.
  const int nothing = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  dup3(nothing, fd_, O_CLOEXEC);
  ::close(nothing);
}

void RawConnection::stall() {
  char buffer[4096];
  while (recv(fd_, buffer, sizeof buffer, 0) > 0) {
  }
}

void RawConnection::tunnel(int port) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  RawConnection behind(server_, server, nullptr);
  std::array<pollfd, 2> ends{{{fd_, POLLIN, 0}, {server, POLLIN, 0}}};
  bool open = connect(server, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0;
  while (open && ::poll(ends.data(), ends.size(), -1) > 0) {
    if (open && ends[0].revents != 0) {
      const std::string bytes = receive();
      open = !bytes.empty() && behind.send(bytes);
    }
    if (open && ends[1].revents != 0) {
      std::array<char, 4096> answer{};
      const ssize_t got = recv(server, answer.data(), answer.size(), 0);
      open = got > 0 && send({answer.data(), static_cast<std::size_t>(got)});
    }
  }
  ::close(server);
}

bool RawConnection::renegotiate() {
  if (SSL_renegotiate(tls_) != 1 || SSL_do_handshake(tls_) != 1) return false;
  char buffer[1];
  SSL_read(tls_, buffer, sizeof buffer);  // the client's answer to the request
  return SSL_renegotiate_pending(tls_) == 0 && SSL_is_init_finished(tls_) != 0 && SSL_num_renegotiations(tls_) > 0;
}

// ---------------------------------------------------------------- the server

RawServer::RawServer(Script script, std::optional<RawTls> tls) : script_(std::move(script)) {
  if (tls) tls_ = make_context(*tls);
  listener_ = bound_socket(port_);
  if (listen(listener_, 64) != 0) throw std::runtime_error("cannot listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

RawServer::~RawServer() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (const int fd : open_) shut(fd);
  }
  shut(listener_);
  acceptor_.join();
  for (std::thread &thread : threads_) thread.join();
  ::close(listener_);
}

std::string RawServer::origin() const { return (tls_ ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(port_); }

int RawServer::connections() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

std::vector<std::string> RawServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string RawServer::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

RawServer::Script RawServer::always(std::string answer) {
  return [answer = std::move(answer)](RawConnection &connection) {
    while (!connection.read_request().empty() && connection.send(answer)) {
    }
  };
}

void RawServer::accept_all() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // SIGPIPE among them: OpenSSL writes without MSG_NOSIGNAL
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    ++accepted_;
    if (closing_) {
      ::close(fd);
      continue;
    }
    open_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void RawServer::serve(int fd) {
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(tls_ ? SSL_new(tls_.get()) : nullptr, SSL_free);
  bool ready = true;
  if (tls) {
    SSL_set_fd(tls.get(), fd);
    ready = SSL_accept(tls.get()) == 1;
  }
  if (ready) {
    RawConnection connection(*this, fd, tls.get());
    script_(connection);
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, fd);
  ::close(fd);
}

std::string json_answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

int closed_port() {
  int port = 0;
  ::close(bound_socket(port));
  return port;
}

}  // namespace fleetauth::test
