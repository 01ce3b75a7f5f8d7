#include "server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "connection.h"
#include "connection_threads.h"

namespace fleetauth::emulator {
namespace {

constexpr int keep_alive_s = 60;
constexpr int io_timeout_s = 20;
constexpr int backlog = 1024;
constexpr std::size_t max_body = 1 << 20;
// Announced to clients only; connections here have no limit of requests.
constexpr std::size_t max_requests = 1'000'000;

// A connection has its thread to itself, hence the handler finds it here.
thread_local Connection *current_connection = nullptr;

// The library adds these to the request's headers by itself.
bool added_by_library(const std::string &name) {
  return name == "REMOTE_ADDR" || name == "REMOTE_PORT" || name == "LOCAL_ADDR" || name == "LOCAL_PORT";
}

Request convert(const httplib::Request &from) {
  Request request;
  request.method = from.method;
  const std::size_t question_mark = from.target.find('?');
  request.path = from.target.substr(0, question_mark);
  if (question_mark != std::string::npos) request.query = from.target.substr(question_mark + 1);
  for (const auto &[name, value] : from.headers) {
    if (!added_by_library(name)) request.headers.emplace_back(name, value);
  }
  request.body = from.body;
  request.connection = current_connection->number();
  request.on_connection = current_connection->next_request();
  return request;
}

// Once the head is read: our own routing and encoding take the place of the library's.
void prepare(httplib::Request &request) {
  request.path = "/";  // the library matches paths by recursive regular expressions; ours come from `target`
  request.headers.erase("Accept-Encoding");
  request.ranges.clear();
  const bool has_size = request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
  // Otherwise the library would wait for the end of the connection.
  if (!has_size) request.set_header("Content-Length", "0");
}

}  // namespace

class HttpServer::Listener final : public httplib::Server {
 public:
  Listener(std::shared_ptr<SSL_CTX> context, HttpServer::Handler handler) : context_(std::move(context)), handler_(std::move(handler)) {
    new_task_queue = [] { return new ConnectionThreads; };
    set_tcp_nodelay(true);
    // Not the library's SO_REUSEPORT, by which two emulators would share a port.
    set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    set_keep_alive_timeout(keep_alive_s);
    set_keep_alive_max_count(max_requests);
    set_read_timeout(io_timeout_s);
    set_write_timeout(io_timeout_s);
    set_payload_max_length(max_body);
    const auto handle = [this](const httplib::Request &request, httplib::Response &response) { answer(request, response); };
    Get("/", handle).Post("/", handle).Put("/", handle).Patch("/", handle).Delete("/", handle).Options("/", handle);
  }

  ~Listener() override { shut_down(); }

  std::uint16_t start(const std::string &host, std::uint16_t port) {
    const int bound = port == 0 ? bind_to_any_port(host) : bind_to_port(host, port) ? port : -1;
    if (bound <= 0) {
      throw std::runtime_error("cannot listen on " + host + " port " + std::to_string(port) + ": choose another port, or 0 for a free one");
    }
    // The library's own backlog of 5 would make a herd of clients wait for TCP's retransmissions.
    if (::listen(svr_sock_, backlog) != 0) throw std::runtime_error("cannot listen on " + host);
    thread_ = std::thread([this] { listen_after_bind(); });
    while (!is_running()) std::this_thread::yield();
    return static_cast<std::uint16_t>(bound);
  }

  void shut_down() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
    }
    httplib::Server::stop();
    thread_.join();
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    if (!enter(socket)) {
      close_quietly(socket);
      return false;
    }
    Connection connection(socket, context_.get(), ++connections_);
    current_connection = &connection;
    serve(connection);
    current_connection = nullptr;
    leave(socket);
    return true;
  }

  void serve(Connection &connection) {
    if (!connection.open()) return;
    while (connection.wait_for_request(keep_alive_s * 1000)) {
      connection.delivery = {};
      bool closed = false;
      const bool answered = process_request(connection, /*close_connection=*/false, closed, prepare);
      const bool alive = connection.finish(connection.delivery);
      if (connection.delivery.done) connection.delivery.done();
      if (!alive || !answered || closed) return;
    }
  }

  void answer(const httplib::Request &from, httplib::Response &to) {
    Request request = convert(from);
    Response response;
    try {
      response = handler_(request);
    } catch (const std::exception &error) {
      response = json_response(500, {{"error", std::string("the emulator failed: ") + error.what()}});
    }
    current_connection->delivery = response.delivery;
    to.status = response.status;
    for (const auto &[name, value] : response.headers) to.headers.emplace(name, value);
    if (!response.body.empty()) to.set_content(response.body, response.content_type.c_str());
  }

  bool enter(int socket) {
    const std::lock_guard lock(mutex_);
    return !stopping_ && sockets_.insert(socket).second;
  }

  // Before the descriptor is closed: its number may belong to somebody else afterwards.
  void leave(int socket) {
    const std::lock_guard lock(mutex_);
    sockets_.erase(socket);
  }

  static void close_quietly(int socket) { httplib::detail::close_socket(socket); }

  std::shared_ptr<SSL_CTX> context_;
  HttpServer::Handler handler_;
  std::thread thread_;
  std::atomic<std::uint64_t> connections_{0};
  std::mutex mutex_;
  bool stopping_ = false;
  std::set<int> sockets_;
};

HttpServer::HttpServer(std::shared_ptr<SSL_CTX> context, Handler handler)
    : listener_(std::make_unique<Listener>(std::move(context), std::move(handler))) {}

HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::start(const std::string &host, std::uint16_t port) { return listener_->start(host, port); }

void HttpServer::stop() { listener_->shut_down(); }

}  // namespace fleetauth::emulator
