#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/status.gen.h"
#include "core/provider/claims.h"
#include "core/provider/inputs.h"

/// What a provider descriptor says, checked. Its language is documented in docs/adding-a-provider.md and descriptor.schema.json.
namespace fleetauth::provider {

enum class ParameterType { Text, Integer, Boolean };

struct Parameter {
  std::string name;
  ParameterType type = ParameterType::Text;
  bool required = false;
  bool secret = false;
  std::string env;  ///< the environment variable profiles and the command read it from
  std::string doc;
  std::optional<std::string> default_value;
};

/// A value put together from parts: header values, query and form members, Basic pairs.
struct Template {
  struct Part {
    enum class Kind { Literal, Parameter, Input, Basic };
    Kind kind = Kind::Literal;
    std::string text;                ///< the literal, the parameter's name, or the name of the echo
    Input input = Input::Token;      ///< Input
    std::vector<Template> operands;  ///< Basic: user name and password
    bool form_encoded = false;       ///< Basic: each half is encoded before, as RFC 6749 (2.3.1) has it
    bool segments = false;           ///< Parameter, in a path: its slashes part segments
  };
  std::vector<Part> parts;
  [[nodiscard]] bool uses(Input input) const;
  [[nodiscard]] std::vector<std::string> parameters() const;  ///< the names of those it uses, each once
  [[nodiscard]] std::vector<std::string> claims() const;      ///< likewise
};

/// A leaf of a JSON body that stands for a value: {"$param": name} or one of the inputs.
struct JsonLeaf {
  std::optional<Input> input;  ///< none = a parameter
  std::string_view name;
};
/// None when the value is what it is.
[[nodiscard]] std::optional<JsonLeaf> json_leaf(const json::Value &value);

struct NamedTemplate {
  std::string name;
  Template value;
};

enum class BodyKind { None, Json, Form };
enum class TokenFormat { Json, Text };
/// The class of requests as flow/http.h has it; here to keep the descriptor free of flows.
enum class StepClass { Idempotent, Refresh, OneShot };

struct Expiry {
  enum class Kind { Seconds, UnixSeconds, UnixMilliseconds, Iso8601, Jwt, Fixed };
  Kind kind = Kind::Fixed;
  std::string path;             ///< JSON Pointer for the kinds that read a member
  std::int64_t fixed_ms = 0;    ///< Fixed
  bool no_zone_is_utc = false;  ///< Iso8601
};

enum class ErrorAction { Stop, Retry };

/// Says what an answer that is no success means. All of its conditions must hold; the first rule that fits decides.
struct ErrorRule {
  std::vector<std::int32_t> statuses;  ///< empty = success statuses without success, and 4xx but 408, 425 and 429
  std::string path;                    ///< JSON Pointer of a member that must be there and contain `contains`; empty = the whole body
  std::string contains;                ///< compared without case; empty = no condition
  Status status = Status::Protocol;
  std::optional<ErrorAction> action;  ///< none = as the status table says
};

/// A value to be found in an answer, by the first of some JSON Pointers that leads to one.
struct NamedPointers {
  std::string name;
  std::vector<std::string> paths;
};

/// Where the entries of an account list are.
struct AccountsRule {
  std::string items;              ///< JSON Pointer of the list
  std::vector<std::string> id;    ///< JSON Pointers within an entry
  std::vector<std::string> name;  ///< likewise; may be empty
};

/// What a success without a token means: the provider asks for a one-time code.
struct ChallengeRule {
  std::string step;  ///< sends the code
  std::vector<NamedPointers> echo;
  std::int64_t lifetime_ms = 0;
};

/// How fast the requests of a step may leave, whoever asks: a burst at once, then one per interval.
struct Rate {
  std::int64_t interval_ms = 0;
  std::int64_t burst = 1;
};

enum class Yield { Token, Identity, Accounts, Nothing };

struct Step {
  std::string name;
  std::vector<std::string> needs;  ///< parameters without which the step cannot be taken
  StepClass step_class = StepClass::OneShot;
  std::optional<Rate> rate;
  std::string method;
  std::string origin;
  Template path;
  std::vector<NamedTemplate> headers;
  std::vector<NamedTemplate> query;
  BodyKind body_kind = BodyKind::None;
  json::Value json_body;  ///< a typed tree with {"$param": name} leaves
  std::vector<NamedTemplate> form_body;
  Yield yield = Yield::Token;
  TokenFormat token_format = TokenFormat::Json;
  std::vector<std::string> content_types;  ///< accepted besides JSON (text/plain for a text token); "none" = no Content-Type
  std::vector<std::int32_t> success_statuses{200};
  std::vector<std::string> not_false;  ///< JSON Pointers whose value must not be false
  std::vector<std::string> absent;     ///< JSON Pointers that must be missing or null
  std::vector<std::string> token_paths;
  std::vector<std::string> token_types;  ///< accepted token_type values without case, when the answer has one at token_type_path
  std::string token_type_path;
  std::vector<Expiry> expiry;
  std::vector<std::string> refresh_token_paths;
  std::optional<ChallengeRule> challenge;
  std::vector<NamedPointers> identity;
  AccountsRule accounts;
  std::vector<std::string> error_code_paths;
  std::vector<ErrorRule> errors;

  [[nodiscard]] bool uses(Input input) const;
  [[nodiscard]] std::vector<std::string> parameters() const;  ///< the names of those it sends
  [[nodiscard]] std::vector<std::string> claims() const;      ///< likewise, each once
};

enum class FlowKind { Basic, StaticHeader, Exchange, SignedJwt };
/// Whether a token is obtained and kept; else the headers are made from the parameters alone.
[[nodiscard]] constexpr bool has_token(FlowKind kind) { return kind == FlowKind::Exchange || kind == FlowKind::SignedJwt; }

/// How a refresh token is used.
struct RefreshRule {
  std::string step;
  std::int64_t lifetime_ms = 0;   ///< from the answer that brought it; 0 = not documented
  std::string initial_parameter;  ///< holds the first refresh token; empty = it comes from a login only
};

/// The names of the parameters that hold the key to sign with; empty = there is no such parameter.
struct KeyRule {
  std::string service_account;  ///< the JSON text of a service account's key file
  std::string file;             ///< the path of one
  std::string issuer;           ///< of a key that the host keeps: whom it belongs to
  std::string key_id;           ///< likewise: what it is called
};

/// A token that is made here: a JWT (RFC 7519) signed with RS256.
struct JwtRule {
  KeyRule key;
  json::Value payload;  ///< a typed tree like a step's body; `iat` and `exp` are added
  std::int64_t lifetime_s = 3600;
  std::string lifetime_parameter;  ///< a shorter lifetime; empty = there is no such parameter
  [[nodiscard]] bool uses(Input input) const;
  [[nodiscard]] std::vector<std::string> parameters() const;
};

/// Something that can be proved: a token that is obtained, or a secret that is sent as it is.
struct Credential {
  std::string name;
  FlowKind kind = FlowKind::Exchange;
  // Exchange:
  std::vector<std::string> steps;  ///< the first that can be taken obtains the token
  std::optional<RefreshRule> refresh;
  std::vector<std::string> revoke;  ///< each that can be taken is, at logout
  std::string identity_step;        ///< empty = the provider tells nobody who he is
  std::string accounts_step;        ///< empty = the provider lists no accounts
  std::string account_parameter;    ///< the account of requests that name none; empty = there is no such parameter
  std::string totp_parameter;       ///< the secret from which one-time codes are made; empty = there is no such parameter
  // SignedJwt:
  JwtRule jwt;
  // Exchange and SignedJwt:
  std::vector<std::int32_t> refused_statuses{401};  ///< of calls whose token is no longer taken
  std::string claim_set_parameter;                  ///< the claim set of requests that name no claims; empty = there is no such parameter

  /// Whether a call that was answered so needs another token.
  [[nodiscard]] bool is_refusal(std::int32_t http_status) const;
};

/// How a credential is put on a request.
struct Scheme {
  std::string name;
  std::string credential;
  std::vector<NamedTemplate> headers;
  std::string doc;
};

struct Origin {
  std::string name;
  std::string base_url;  ///< scheme://host[:port][/prefix], canonical, without a trailing slash; empty = each client gives its own
  std::string doc;

  [[nodiscard]] std::string_view authority() const;  ///< scheme://host[:port]
  [[nodiscard]] std::string_view prefix() const;     ///< what follows: empty or "/..."
};

/// A group of calls that are authorised alike.
struct Api {
  std::string name;
  std::string origin;
  std::string path;                  ///< prefix below the origin; a segment `*` matches any one segment
  std::vector<std::string> methods;  ///< empty = all
  std::vector<std::string> schemes;  ///< the first is the default
  std::string doc;
};

struct Life {
  std::optional<std::int64_t> refresh_margin_ms;  ///< default: a share of the lifetime (token/life.h)
  std::optional<std::int64_t> min_remaining_ms;   ///< what a token that is given out must have left; default likewise
  std::int64_t default_lifetime_ms = 300'000;     ///< when the answer's expiry cannot be understood
  std::int64_t max_lifetime_ms = 366LL * 24 * 3600 * 1000;
};

struct Descriptor {
  std::string name;
  std::string title;
  std::string doc;
  std::vector<Parameter> parameters;
  ClaimRules claims;
  std::vector<Origin> origins;
  std::vector<Step> steps;
  std::vector<Credential> credentials;
  std::vector<Scheme> schemes;
  std::vector<Api> apis;
  Life life;
  json::Value source;  ///< the whole descriptor, patches applied

  [[nodiscard]] const Parameter *parameter(std::string_view name) const;
  [[nodiscard]] const Origin *origin(std::string_view name) const;
  [[nodiscard]] const Step *step(std::string_view name) const;
  [[nodiscard]] const Credential *credential(std::string_view name) const;
  [[nodiscard]] const Scheme *scheme(std::string_view name) const;
  [[nodiscard]] const Api *api(std::string_view name) const;
  /// Whether its tokens are for claims, or one for each account that a request names.
  [[nodiscard]] bool takes_claims(const Credential &credential) const;
  [[nodiscard]] bool takes_account(const Credential &credential) const;
};

/// Checks a descriptor. E_DESCRIPTOR lists everything that is wrong, each as "source:line: /path: what".
Result<Descriptor> parse_descriptor(std::string_view text, std::string_view source);
Result<Descriptor> parse_descriptor(json::Value tree, std::string_view source);

/// The built-in providers in alphabetical order.
struct Builtin {
  std::string_view name;
  std::string_view text;
};
[[nodiscard]] const std::vector<Builtin> &builtins();
Result<std::shared_ptr<const Descriptor>> builtin(std::string_view name);

}  // namespace fleetauth::provider
