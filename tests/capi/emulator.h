#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/capi/handles.h"

/// The provider emulator as a child process, and clients of it through the C interface.
namespace capi {

struct HttpAnswer {
  int status = 0;
  std::string body;
  std::string date;  ///< the header
};

class Emulator {
 public:
  Emulator();
  ~Emulator();
  Emulator(const Emulator &) = delete;
  Emulator &operator=(const Emulator &) = delete;

  [[nodiscard]] const std::string &url() const { return url_; }
  [[nodiscard]] const std::string &ca_file() const { return ca_file_; }

  /// The admin interface; throws unless the answer is 200.
  nlohmann::json admin(const std::string &method, const std::string &path, const nlohmann::json &body = nullptr);
  void fault(const nlohmann::json &what);
  /// How many requests of a flow have arrived, such as "token" or "resource".
  std::size_t requests(const std::string &flow);
  /// Waits until that many requests of any flow have arrived.
  void await_requests(std::size_t count);
  /// The same, driving a queue that nothing is to come from: in manual mode nobody else sends them.
  void await_requests(std::size_t count, fleetauth_queue *driven);

  /// A request to a protected resource, with the headers of a token.
  HttpAnswer get(const std::string &url, fleetauth_token *token);
  HttpAnswer post(const std::string &url, fleetauth_token *token, const nlohmann::json &body);

 private:
  void await_requests(std::size_t count, int at_once_ms, const std::function<void()> &meanwhile);
  HttpAnswer send(const std::string &method, const std::string &url, fleetauth_token *token, const std::string &body);

  pid_t child_ = -1;
  int stdin_ = -1;
  std::string directory_;
  std::string url_;
  std::string ca_file_;
  std::string admin_token_;
};

using Texts = std::vector<std::pair<std::string, std::string>>;

/// Options for a client of a provider, the emulator's account and addresses among them unless `more` says otherwise.
Texts fleetup_options(const Emulator &emulator, const Texts &more = {});
Texts my_connected_fleet_options(const Emulator &emulator, const Texts &more = {});

Options make_options(const Texts &texts);
Runtime make_runtime(const Texts &texts = {}, fleetauth_clock *clock = nullptr);
Client make_client(fleetauth_runtime *runtime, const std::string &provider, const Texts &options);
Queue make_queue(fleetauth_runtime *runtime, std::int32_t kind = FLEETAUTH_QUEUE_LOOP);
Op start(fleetauth_client *client, fleetauth_queue *queue, std::int64_t tag, const std::string &url = "");

/// What a call came to.
struct Outcome {
  std::int32_t status = FLEETAUTH_OK;
  Token token;
  Error error;

  [[nodiscard]] std::string secret() const { return text_of(fleetauth_token_secret, token.get()); }
  [[nodiscard]] std::string message() const { return text_of(fleetauth_error_message, error.get()); }
  [[nodiscard]] std::string name() const { return fleetauth_status_name(status, nullptr); }
};

/// fleetauth_client_token; `url` empty: the token alone.
Outcome get_token(fleetauth_client *client, const std::string &url = "");
/// The next completion of a queue, waited for at most so long.
Outcome take_outcome(fleetauth_queue *queue, std::int64_t timeout_ms = 10'000, std::int64_t *tag = nullptr);

}  // namespace capi
