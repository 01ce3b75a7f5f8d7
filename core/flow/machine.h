#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/crypto/signing_key.h"
#include "core/flow/challenge.h"
#include "core/flow/http.h"
#include "core/provider/client_config.h"

namespace fleetauth::flow {

/// A token as the provider gave it.
struct Grant {
  SecretBytes access;
  std::int64_t lifetime_ms = 0;          ///< from the moment of the answer; kNever without end
  bool expiry_unknown = false;           ///< the provider gave none that could be understood: the profile's default was taken
  SecretBytes refresh;                   ///< a new refresh token; empty = the answer brought none
  std::int64_t refresh_lifetime_ms = 0;  ///< of the new one; kNever when it is not documented
  bool refreshed = false;                ///< obtained by the refresh token there was, which stays good unless there is a new one
};

/// What a login leaves behind: the means to the next token.
struct Session {
  SecretBytes refresh;
  BootMs expires = kNever;
  std::shared_ptr<std::int64_t> code_period;  ///< of the last one-time code that was made: a provider takes one a period. Null: of none
};

/// Who the provider takes the caller for: names of the descriptor, values of the answer.
struct Identity {
  std::vector<std::pair<std::string, std::string>> fields;
};

struct Account {
  std::string id;
  std::string name;
};
using Accounts = std::vector<Account>;

struct SendRequest {
  HttpRequest request;
};
/// Signs the bytes with RS256.
struct Sign {
  std::shared_ptr<const crypto::SigningKey> key;  ///< null: the host has it
  std::string key_id;                             ///< what it is called, if anything
  SecretBytes input;
};
struct Granted {
  Grant grant;
};
struct Identified {
  Identity identity;
};
struct Listed {
  Accounts accounts;
};
struct Done {};
struct Failed {
  ErrorPtr error;
};
using Effect = std::variant<SendRequest, Sign, Granted, Identified, Listed, Done, Failed>;

/// One errand at a provider as a pure state machine: no clock, no I/O, no threads. After any effect but SendRequest, Sign and Failed it is
/// finished. Repeating a request that failed is not its business: after Failed it expects the answer to the same request, should that be
/// sent again.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual Effect start(const Now &now) = 0;
  virtual Effect on_response(const HttpResponse &response, const Now &now) = 0;
  virtual Effect on_signature(SecretBytes signature, const Now &now);
  virtual Effect on_failure(const HttpFailure &failure, const Now &now) = 0;
  /// The refresh token is not good any more, whatever else came of it.
  [[nodiscard]] virtual bool refresh_token_is_dead() const { return false; }
};

// What is passed by reference outlives the machine.

/// Obtains a token: by the refresh token of the session if it has one that is good, else by the first step that can be taken.
std::unique_ptr<Machine> make_login(const provider::ClientConfig &config, const provider::Credential &credential, provider::Subject subject,
                                    const Session &session);
/// Makes a token: a JWT about the subject.
std::unique_ptr<Machine> make_minting(const provider::ClientConfig &config, const provider::Credential &credential,
                                      provider::Subject subject);
/// Obtains a token by answering a challenge with a code.
std::unique_ptr<Machine> make_answer(const provider::ClientConfig &config, const provider::Credential &credential,
                                     std::shared_ptr<const Challenge> challenge, SecretBytes code);
/// Asks who the caller is or which accounts there are, with a token.
std::unique_ptr<Machine> make_inquiry(const provider::ClientConfig &config, const provider::Step &step, std::string_view account,
                                      SecretBytes token);
/// Revokes a token; null when the step cannot be taken or has nothing to revoke. An empty token is none.
std::unique_ptr<Machine> make_revocation(const provider::ClientConfig &config, const provider::Step &step, std::string_view account,
                                         SecretBytes token, SecretBytes refresh_token);

}  // namespace fleetauth::flow
