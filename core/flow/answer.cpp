#include "core/flow/answer.h"

#include <algorithm>

#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/flow/messages.h"
#include "core/flow/retry_after.h"

namespace fleetauth::flow {
namespace {

using provider::ClientConfig;
using provider::ErrorRule;
using provider::Step;

bool is_success(const Step &step, std::int32_t status) {
  return std::find(step.success_statuses.begin(), step.success_statuses.end(), status) != step.success_statuses.end();
}

bool is_false(const json::Node &node) {
  const auto boolean = node.boolean();
  const auto word = node.text();
  return (boolean && !*boolean) || (word && text::equal_ignore_case(*word, "false"));
}

bool says_failure(const Step &step, const json::Document &answer) {
  const bool denied = std::any_of(step.not_false.begin(), step.not_false.end(), [&](const std::string &path) {
    const auto node = answer.find(path);
    return node && is_false(*node);
  });
  return denied || std::any_of(step.absent.begin(), step.absent.end(), [&](const std::string &path) {
           const auto node = answer.find(path);
           return node && node->type() != json::Type::Null;
         });
}

// The answer that came may have been the last word on a call that cannot be made twice.
bool leaves_doubt(const Step &step, std::int32_t status) {
  return step.step_class != provider::StepClass::Idempotent && (status >= 500 || status < 400);
}

ErrorPtr answered(const ClientConfig &config, const Step &step, const HttpResponse &response, Status status, const std::string &what) {
  Error error = step_error(config, step, status, "answered " + std::to_string(response.status) + what);
  error.http_status = response.status;
  error.in_doubt = leaves_doubt(step, response.status);
  return fail(std::move(error));
}

ErrorPtr check_limits(const ClientConfig &config, const Step &step, const HttpResponse &response) {
  std::size_t header_size = 0;
  for (const Header &header : response.headers) header_size += header.name.size() + header.value.size() + 4;
  if (const std::size_t limit = max_body(step); response.body.size() > limit) {
    return answered(config, step, response, Status::TooLarge, " with a body above " + std::to_string(limit / 1024) + " KiB");
  }
  if (header_size > kMaxHeaders) {
    return answered(config, step, response, Status::TooLarge, " with headers above " + std::to_string(kMaxHeaders / 1024) + " KiB");
  }
  const auto encoding = response.header("content-encoding");
  if (encoding && !text::equal_ignore_case(text::trim(*encoding), "identity")) {
    return answered(config, step, response, Status::Protocol, " with an encoded body, which was not asked for and is not decoded");
  }
  return nullptr;
}

// Media types, in lower case and without parameters.
bool is_json(std::string_view type) {
  return type == "application/json" ||
         (type.size() > 5 && type.find('/') != std::string_view::npos && type.substr(type.size() - 5) == "+json");
}

bool is_acceptable_type(const Step &step, const HttpResponse &response) {
  const auto header = response.header("content-type");
  const std::string type = header ? text::lower(text::trim(header->substr(0, header->find(';')))) : "none";
  if (std::find(step.content_types.begin(), step.content_types.end(), type) != step.content_types.end()) return true;
  return step.token_format == provider::TokenFormat::Json ? is_json(type) : type == "text/plain";
}

// ------------------------------------------------------------------ refusals

// What a rule looks at: a member's text, or the whole body.
std::optional<std::string_view> subject(const ErrorRule &rule, const HttpResponse &response, const std::optional<json::Document> &answer,
                                        std::string &scratch) {
  if (rule.path.empty()) return response.body.view();
  const auto node = answer ? answer->find(rule.path) : std::nullopt;
  if (!node) return {};
  if (const auto text = node->text()) return text;
  if (const auto integer = node->integer()) {
    scratch = std::to_string(*integer);
    return scratch;
  }
  if (const auto boolean = node->boolean()) return *boolean ? "true" : "false";
  return "";
}

bool covers_status(const ErrorRule &rule, const Step &step, std::int32_t status) {
  if (!rule.statuses.empty()) return std::find(rule.statuses.begin(), rule.statuses.end(), status) != rule.statuses.end();
  return is_success(step, status) || (status >= 400 && status < 500 && status != 408 && status != 425 && status != 429);
}

const ErrorRule *matching_rule(const Step &step, const HttpResponse &response, const std::optional<json::Document> &answer) {
  for (const ErrorRule &rule : step.errors) {
    if (!covers_status(rule, step, response.status)) continue;
    if (rule.path.empty() && rule.contains.empty()) return &rule;
    std::string scratch;
    const auto found = subject(rule, response, answer, scratch);
    if (found && text::contains_ignore_case(*found, rule.contains)) return &rule;
  }
  return nullptr;
}

Status default_status(const Step &step, std::int32_t status) {
  // Whatever else it may mean: only a login can tell.
  if (step.uses(provider::Input::RefreshToken) && step.yield == provider::Yield::Token && (status == 400 || status == 401))
    return Status::LoginRequired;
  if (status == 401) return Status::InvalidCredentials;
  if (status == 403) return Status::AccessDenied;
  if (status == 429) return Status::RateLimited;
  if (status == 408 || status == 425 || (status >= 500 && status <= 599)) return Status::Server;
  return Status::Protocol;
}

std::string advice(const ClientConfig &config, const Step &step, const HttpResponse &response, Status status, std::int64_t retry_after) {
  const std::string wait = retry_after > 0 ? "; it asks to wait " + std::to_string((retry_after + 999) / 1000) + " s" : "";
  switch (status) {
    case Status::InvalidCredentials:
      return ": the credentials were refused; check " + parameter_list(*config.descriptor, step);
    case Status::LoginRequired:
      return ": the refresh token is no longer good";
    case Status::OtpRejected:
      return ": the one-time code was refused; answer the challenge again with another one";
    case Status::OtpOver:
      return ": the challenge is over; log in again for a new one";
    case Status::AccessDenied:
      return ": access is denied; ask the provider to enable it for this account";
    case Status::RateLimited:
      return ": too many requests" + (wait.empty() ? "; try again later" : wait);
    case Status::Server:
      return ": the provider failed" + (wait.empty() ? "; try again later" : wait);
    default:
      break;
  }
  if (is_success(step, response.status)) return ", but its body says that the request failed";
  if (response.status >= 200 && response.status < 300) return ", which the descriptor does not list as success";
  return ", which is not in the provider's protocol; check base_url and the path of the step";
}

// A sentence is not a word.
std::string provider_code(const Step &step, const std::optional<json::Document> &answer) {
  if (!answer) return {};
  for (const std::string &path : step.error_code_paths) {
    const auto node = answer->find(path);
    if (!node) continue;
    if (const auto integer = node->integer()) return redact::filter_code(std::to_string(*integer));
    const auto word = node->text();
    if (!word || word->empty() || word->find(' ') != std::string_view::npos) continue;
    return redact::filter_code(*word);
  }
  return {};
}

// "https://host[:port]" of a Location, without what may be secret: user name, path, query.
std::string redirect_target(std::string_view location) {
  const std::size_t begin = location.substr(0, 2) == "//"                    ? 2
                            : location.find("://") == std::string_view::npos ? 0
                                                                             : location.find("://") + 3;
  if (begin == 0) return "another path of the same origin";
  std::string_view host = location.substr(begin, location.substr(begin).find_first_of("/?#\\"));
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  const std::string scheme = begin == 2 ? "//" : text::lower(location.substr(0, begin));
  const auto plain = [](char c) {
    return text::is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'z') ||
           std::string_view("-._:[]").find(c) != std::string_view::npos;
  };
  const bool readable = !host.empty() && host.size() <= 255 && (scheme == "//" || scheme == "https://" || scheme == "http://") &&
                        std::all_of(host.begin(), host.end(), plain);
  return readable ? scheme + text::lower(host) : "an unreadable address";
}

ErrorPtr redirected(const ClientConfig &config, const Step &step, const HttpResponse &response) {
  const auto location = response.header("location");
  const std::string where = location ? " to " + redirect_target(text::trim(*location)) : "";
  return answered(config, step, response, Status::Protocol,
                  ", a redirect" + where +
                      "; redirects are never followed. Set base_url if the provider has moved, or sign in to the network's portal");
}

}  // namespace

std::size_t max_body(const Step &step) { return step.yield == provider::Yield::Accounts ? kMaxAccountsBody : kMaxBody; }

ErrorPtr check_answer(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now) {
  if (auto error = check_limits(config, step, response)) return error;
  if (response.status < 200 || response.status > 599)
    return answered(config, step, response, Status::Protocol, ", which is no final status of HTTP");
  if (response.status >= 300 && response.status < 400) return redirected(config, step, response);
  if (!is_success(step, response.status)) {
    std::optional<json::Document> answer;
    if (auto parsed = parse_answer(response.body)) answer = std::move(*parsed);
    return refusal(config, step, response, answer, now);
  }
  if (step.yield == provider::Yield::Nothing) return nullptr;
  if (response.body.empty()) return malformed(config, step, response, "without a body");
  if (!is_acceptable_type(step, response)) {
    const std::string wanted = step.token_format == provider::TokenFormat::Json ? "JSON" : "text/plain";
    return malformed(config, step, response,
                     "with a Content-Type that is not " + wanted + "; a proxy or portal may have answered instead of the provider");
  }
  return nullptr;
}

Result<json::Document> read_success(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now) {
  auto parsed = parse_answer(response.body);
  if (!parsed) return malformed(config, step, response, "with a body that is not the JSON it claims to be");
  if (!says_failure(step, *parsed)) return parsed;
  return refusal(config, step, response, std::move(*parsed), now);
}

ErrorPtr refusal(const ClientConfig &config, const Step &step, const HttpResponse &response, const std::optional<json::Document> &answer,
                 const Now &now) {
  const ErrorRule *rule = matching_rule(step, response, answer);
  const Status status = rule != nullptr ? rule->status : default_status(step, response.status);
  const std::int64_t retry_after = retry_after_ms(response, now);

  Error error =
      step_error(config, step, status, "answered " + std::to_string(response.status) + advice(config, step, response, status, retry_after));
  error.http_status = response.status;
  error.provider_code = provider_code(step, answer);
  error.in_doubt = leaves_doubt(step, response.status) && !is_success(step, response.status);
  error.retry_after_ms = retry_after;
  if (rule != nullptr && rule->action) error.retryable = *rule->action == provider::ErrorAction::Retry;
  return fail(std::move(error));
}

ErrorPtr malformed(const ClientConfig &config, const Step &step, const HttpResponse &response, const std::string &what) {
  return answered(config, step, response, Status::Protocol, " " + what);
}

ErrorPtr unanswered(const ClientConfig &config, const Step &step, const HttpFailure &failure) {
  Error error = *failure.error;
  if (error.provider.empty()) error.provider = config.descriptor->name;
  error.message = step_prefix(config, step) + "got no answer: " + error.message;
  error.in_doubt = error.in_doubt || (failure.sent == Sent::Maybe && step.step_class != provider::StepClass::Idempotent);
  return fail(std::move(error));
}

}  // namespace fleetauth::flow
