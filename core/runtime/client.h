#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/http.h"
#include "core/provider/client_config.h"
#include "core/runtime/engine.h"
#include "core/runtime/options.h"
#include "core/runtime/token_source.h"
#include "core/token/slot.h"

namespace fleetauth::runtime {

class Client;
class Operation;

/// A client's configuration and the places of its tokens; replaced by nothing when the client is closed.
struct Live {
  std::shared_ptr<const Setup> setup;
  std::vector<std::shared_ptr<TokenSource>> sources;  ///< by the credential's place in the descriptor; null for local ones
};

/// A call as it was resolved: how the request will be authorised, and from which token.
struct Plan {
  std::shared_ptr<const Live> live;
  const Client *client = nullptr;  ///< compared, never followed
  const provider::Scheme *scheme = nullptr;
  const provider::Credential *credential = nullptr;
  std::shared_ptr<TokenSource> source;  ///< null for credentials without a token
  bool wants_headers = false;
  std::int64_t min_remaining_ms = 0;
  std::int64_t timeout_ms = 0;
  std::shared_ptr<Clock> clock;
};

enum class TokenKind { Bearer = 1, Basic = 2, Static = 3 };

/// What a caller gets: the token and, when it named a URL, the headers.
struct Answer {
  std::shared_ptr<const token::Token> token;  ///< null for local credentials
  SecretBytes local;
  TokenKind kind = TokenKind::Bearer;
  std::string scheme;
  std::vector<flow::Header> headers;
  std::int64_t slot = -1;
  std::int32_t word = 0;
  bool from_cache = false;
  std::shared_ptr<Clock> clock;

  [[nodiscard]] const SecretBytes &secret() const { return token == nullptr ? local : token->secret; }
};

Result<Answer> make_answer(const Plan &plan, std::shared_ptr<const token::Token> token, std::int32_t word, bool from_cache);

/// What a request is for. Kept apart from the client so that it can be prepared once.
struct Request {
  RequestSettings settings;
};

class Client {
 public:
  static Result<std::shared_ptr<Client>> create(const std::shared_ptr<Runtime> &runtime,
                                                const std::shared_ptr<const provider::Descriptor> &descriptor, const Options &options);
  Client(std::shared_ptr<Runtime> runtime, std::shared_ptr<const Live> live);
  ~Client();
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;

  Result<Request> prepare(const Options *options) const;
  Result<Answer> peek(const Request *request, std::optional<std::string_view> method, std::optional<std::string_view> url);
  Result<std::shared_ptr<Operation>> start(const Request *request, std::optional<std::string_view> method,
                                           std::optional<std::string_view> url, const Queue &queue, std::int64_t tag);
  Result<token::Advice> report_rejected(std::int64_t slot, std::int64_t generation, std::int32_t http_status);
  token::CopyResult copy(std::int64_t slot, char *buffer, std::size_t capacity);
  ErrorPtr serve(const Queue &queue);
  void close();

  [[nodiscard]] const std::shared_ptr<Runtime> &runtime() const { return runtime_; }
  [[nodiscard]] bool host_transport() const { return host_transport_; }

 private:
  [[nodiscard]] std::shared_ptr<const Live> live() const;
  Result<Plan> plan(const Request *request, std::optional<std::string_view> method, std::optional<std::string_view> url) const;

  const std::shared_ptr<Runtime> runtime_;
  std::shared_ptr<const Live> live_;  ///< read under token::ReadGuard, taken away under WriteGuard
  const std::uint64_t owner_;
  const bool host_transport_;
  std::atomic<bool> closed_{false};
};

}  // namespace fleetauth::runtime
