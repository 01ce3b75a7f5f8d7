#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/flow/http.h"
#include "core/net/proxy.h"

namespace fleetauth::net {

/// How a client's requests travel; equal settings share connections and trust stores.
struct NetOptions {
  std::string ca_file;
  std::string ca_pem;
  std::string pinned_public_key;  ///< as libcurl has it: sha256//BASE64;…; empty = any key
  Proxy proxy;
  std::string user_agent;
  bool allow_loopback_http = false;
  std::int64_t connect_timeout_ms = 0;  ///< libcurl's backstop is a little later than the runtime's timer
  std::int64_t attempt_timeout_ms = 0;
};

using Outcome = std::variant<flow::HttpResponse, flow::HttpFailure>;
using Completion = std::function<void(Outcome)>;

/// Sends requests through curl_multi on an epoll descriptor of its own. One thread at a time drives it and calls everything
/// but wake(); which thread that is may change between calls. No thread is made but libcurl's resolver.
class Driver {
 public:
  /// E_RESOURCE when the process has no descriptors left.
  static Result<std::unique_ptr<Driver>> create();
  ~Driver();

  /// Ends all requests without calling their `done`, and all connections.
  void close();
  /// Readable when run_once has something to do; for programs that poll it instead of calling run_once at once.
  [[nodiscard]] int fd();

  /// Starts a request, which must live until its end; `done` is called from a later run_once, exactly once unless it is
  /// cancelled first, and may start and cancel others. A body above its `max_body`, headers above flow::kMaxHeaders and an
  /// encoded body end it with E_TOO_LARGE or E_PROTOCOL.
  void start(std::uint64_t id, const flow::HttpRequest &request, std::shared_ptr<const NetOptions> options, Completion done);
  /// Ends a request without calling `done`; never blocks, not even on a hung resolver.
  void cancel(std::uint64_t id);
  /// Whether bytes of the request may have left. No for an id that is not in flight.
  [[nodiscard]] flow::Sent sent(std::uint64_t id) const;
  [[nodiscard]] std::size_t in_flight() const;

  /// The instant of CLOCK_BOOTTIME at which fd() turns readable and run_once returns; kNever for none.
  void arm(BootMs at);
  /// Waits until something happens, at most `timeout_ms` (-1 without limit, 0 not at all), and handles it.
  void run_once(std::int64_t timeout_ms);
  /// Makes run_once return, now or as soon as it is called. Any thread, async-signal-safe.
  void wake();
  /// Whoever is about to call run_once has seen to everything that was woken for until now.
  void heed_wakes();

  // ---- around a fork
  void lock_for_fork();
  void unlock_after_fork();
  /// In the child, before anything of the program runs there: closes what was inherited, without a goodbye on connections that are
  /// the parent's. Takes no lock, allocates nothing. The driver is of no use afterwards but to be abandoned.
  void close_inherited() noexcept;
  /// In the child: leaves libcurl's objects behind.
  static void abandon(std::unique_ptr<Driver> driver);

 private:
  struct Impl;
  explicit Driver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Prepares OpenSSL and libcurl once per process and reports what does not work. Thread-safe.
ErrorPtr initialise();

}  // namespace fleetauth::net
