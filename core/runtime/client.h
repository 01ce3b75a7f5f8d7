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
#include "core/runtime/source_set.h"
#include "core/token/slot.h"

namespace fleetauth::runtime {

class Client;
class Operation;

/// A client's configuration and the places of its tokens; replaced by nothing when the client is closed.
struct Live {
  std::shared_ptr<const Setup> setup;
  std::vector<std::shared_ptr<SourceSet>> sources;  ///< by the credential's place in the descriptor; null for local ones

  [[nodiscard]] const std::shared_ptr<SourceSet> &sources_of(const provider::Credential &credential) const {
    return sources[static_cast<std::size_t>(&credential - setup->config.descriptor->credentials.data())];
  }
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
  mutable std::weak_ptr<TokenSource> source;       ///< of its account and claims, as it was found last; guarded by the engine's mutex
  std::shared_ptr<const provider::Claims> claims;  ///< null when it names none
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
  /// Asks who the caller is (Identity) or which accounts there are (Accounts). E_UNSUPPORTED where the provider tells nobody.
  Result<std::shared_ptr<Operation>> inquire(const Request *request, EventKind what, const Queue &queue, std::int64_t tag);
  Result<std::shared_ptr<Operation>> log_out(const Queue &queue, std::int64_t tag);
  Result<std::shared_ptr<Operation>> answer(std::shared_ptr<const flow::Challenge> challenge, SecretBytes code, const Queue &queue,
                                            std::int64_t tag);
  /// A challenge under a key of 32 bytes, bound to the provider and the client's parameters but its secrets. E_KEY, E_CRYPTO.
  [[nodiscard]] Result<SecretBytes> seal(const flow::Challenge &challenge, std::string_view key) const;
  [[nodiscard]] Result<std::shared_ptr<const flow::Challenge>> open_challenge(std::string_view sealed, std::string_view key) const;
  /// `date`: of the answer that refused it.
  Result<token::Advice> report_rejected(std::int64_t slot, std::int64_t generation, std::int32_t http_status,
                                        std::optional<std::string_view> date = {});
  token::CopyResult copy(std::int64_t slot, char *buffer, std::size_t capacity);
  ErrorPtr serve(const Queue &queue);
  void close();

  [[nodiscard]] const std::shared_ptr<Runtime> &runtime() const { return runtime_; }
  /// Whether the host itself sends or signs what the token of this request takes.
  [[nodiscard]] Result<bool> needs_host(const Request *request, std::optional<std::string_view> method,
                                        std::optional<std::string_view> url) const;

 private:
  [[nodiscard]] std::shared_ptr<const Live> live() const;
  Result<Plan> plan(const Request *request, std::optional<std::string_view> method, std::optional<std::string_view> url) const;
  [[nodiscard]] ErrorPtr find_source(Plan &plan, const Request *request) const;
  /// Makes an operation and begins what it waits for, under the engine's mutex.
  Result<std::shared_ptr<Operation>> begin(Plan plan, EventKind kind, const Queue &queue, std::int64_t tag,
                                           const std::function<ErrorPtr(const std::shared_ptr<Operation> &)> &what);

  const std::shared_ptr<Runtime> runtime_;
  std::shared_ptr<const Live> live_;  ///< read under token::ReadGuard, taken away under WriteGuard
  const std::uint64_t owner_;
  std::atomic<bool> closed_{false};
};

}  // namespace fleetauth::runtime
