#include "connection.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace fleetauth::emulator {
namespace {

constexpr int max_chunk = 1 << 20;

int chunk(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, max_chunk)); }

// What truncate leaves: the whole head and the first bytes of the body.
std::string_view truncated(std::string_view answer, std::size_t body_size) {
  const std::size_t head_end = answer.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return answer;
  return answer.substr(0, std::min(answer.size(), head_end + 4 + body_size));
}

}  // namespace

Connection::Connection(int socket, SSL_CTX *context, std::uint64_t number)
    : socket_(socket), number_(number), ssl_(context != nullptr ? SSL_new(context) : nullptr, SSL_free) {
  fcntl(socket_, F_SETFD, FD_CLOEXEC);
  if (context != nullptr && (ssl_ == nullptr || SSL_set_fd(ssl_.get(), socket_) != 1)) broken_ = true;
}

Connection::~Connection() {
  ERR_clear_error();
  if (ssl_ != nullptr && !broken_) SSL_shutdown(ssl_.get());
  ssl_.reset();
  close(socket_);
}

bool Connection::open() {
  if (broken_) return false;
  if (ssl_ == nullptr) return true;
  ERR_clear_error();
  broken_ = SSL_accept(ssl_.get()) != 1;
  return !broken_;
}

bool Connection::wait_for_request(int timeout_ms) {
  if (ssl_ != nullptr && SSL_pending(ssl_.get()) > 0) return true;
  pollfd ready{socket_, POLLIN, 0};
  return poll(&ready, 1, timeout_ms) == 1;
}

ssize_t Connection::read(char *to, std::size_t size) {
  // An interim "100 Continue" must leave before the client sends more.
  if (!pending_.empty() && !send_all(std::exchange(pending_, {}))) return -1;
  ssize_t count = 0;
  if (ssl_ == nullptr) {
    count = recv(socket_, to, size, 0);
  } else {
    ERR_clear_error();
    count = SSL_read(ssl_.get(), to, chunk(size));
  }
  // A half-read request leaves nothing to say to the client, TLS's goodbye included.
  if (count < 0) broken_ = true;
  return count;
}

ssize_t Connection::write(const char *from, std::size_t size) {
  pending_.append(from, size);
  return static_cast<ssize_t>(size);
}

bool Connection::send_all(std::string_view bytes) {
  while (!bytes.empty() && !broken_) {
    ssize_t count = 0;
    if (ssl_ == nullptr) {
      count = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } else {
      ERR_clear_error();
      count = SSL_write(ssl_.get(), bytes.data(), chunk(bytes.size()));
    }
    if (count <= 0) {
      broken_ = true;
    } else {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  return !broken_;
}

bool Connection::finish(const Delivery &how) {
  const std::string answer = std::exchange(pending_, {});
  if (how.reset) {
    // Closing with a zero linger time sends RST.
    const linger none{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    broken_ = true;
    return false;
  }
  if (how.drop) return false;
  if (how.raw) {
    send_all(*how.raw);
    return false;
  }
  if (how.truncate_body) {
    send_all(truncated(answer, *how.truncate_body));
    return false;
  }
  return send_all(answer);
}

void Connection::get_remote_ip_and_port(std::string &ip, int &port) const {
  ip.clear();
  port = 0;
}

void Connection::get_local_ip_and_port(std::string &ip, int &port) const {
  ip.clear();
  port = 0;
}

}  // namespace fleetauth::emulator
