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
    enum class Kind { Literal, Parameter, Token, Basic };
    Kind kind = Kind::Literal;
    std::string text;                ///< the literal, or the parameter's name
    std::vector<Template> operands;  ///< Basic: user name and password
  };
  std::vector<Part> parts;
  [[nodiscard]] bool uses_token() const;
  [[nodiscard]] std::vector<std::string> parameters() const;  ///< the names of those it uses, each once
};

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

struct Step {
  std::string name;
  StepClass step_class = StepClass::OneShot;
  std::string method;
  std::string origin;
  std::string path;
  std::vector<NamedTemplate> headers;
  std::vector<NamedTemplate> query;
  BodyKind body_kind = BodyKind::None;
  json::Value json_body;  ///< a typed tree with {"$param": name} leaves
  std::vector<NamedTemplate> form_body;
  TokenFormat token_format = TokenFormat::Json;
  std::vector<std::string> content_types;  ///< accepted besides JSON (text/plain for a text token); "none" = no Content-Type
  std::vector<std::int32_t> success_statuses{200};
  std::vector<std::string> not_false;  ///< JSON Pointers whose value must not be false
  std::vector<std::string> absent;     ///< JSON Pointers that must be missing or null
  std::vector<std::string> token_paths;
  std::vector<std::string> token_types;  ///< accepted token_type values without case, when the answer has one at token_type_path
  std::string token_type_path;
  std::vector<Expiry> expiry;
  std::vector<std::string> error_code_paths;
  std::vector<ErrorRule> errors;
};

enum class FlowKind { Basic, StaticHeader, Exchange };

/// Something that can be proved: a token that is obtained, or a secret that is sent as it is.
struct Credential {
  std::string name;
  FlowKind kind = FlowKind::Exchange;
  std::string step;  ///< Exchange
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
  std::string base_url;  ///< scheme://host[:port][/prefix], canonical, without a trailing slash

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
  std::int64_t default_lifetime_ms = 300'000;     ///< when the answer's expiry cannot be understood
  std::int64_t max_lifetime_ms = 366LL * 24 * 3600 * 1000;
};

struct Descriptor {
  std::string name;
  std::string title;
  std::string doc;
  std::vector<Parameter> parameters;
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
