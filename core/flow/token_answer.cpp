#include "core/flow/token_answer.h"

#include <algorithm>

#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/flow/answer.h"
#include "core/flow/lifetime.h"
#include "core/flow/server_time.h"

namespace fleetauth::flow {
namespace {

using provider::ClientConfig;
using provider::Step;

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

bool is_accepted_type(const Step &step, const json::Document &answer) {
  if (step.token_types.empty()) return true;
  const auto node = answer.find(step.token_type_path);
  if (!node) return true;
  const auto type = node->text();
  return type && std::any_of(step.token_types.begin(), step.token_types.end(),
                             [&](const std::string &accepted) { return text::equal_ignore_case(accepted, *type); });
}

std::string paths_of(const Step &step) {
  std::string out;
  for (const std::string &path : step.token_paths) out += (out.empty() ? "" : " or ") + path;
  return out;
}

Result<Grant> grant(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now, std::string_view token,
                    const json::Document *answer) {
  if (!redact::is_token(token)) {
    return malformed(
        config, step, response,
        "with a token that is empty, longer than " + std::to_string(redact::kMaxToken) + " bytes, or holds a character which no token may");
  }
  const Lifetime lifetime = read_lifetime(config.descriptor->life, step, answer, token, server_time(response, now));
  Grant out;
  out.access = SecretBytes(token);
  out.lifetime_ms = lifetime.ms;
  out.expiry_unknown = lifetime.unknown;
  return out;
}

Result<Grant> from_text(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::string_view token = response.body.view();
  token.remove_prefix(std::min(token.find_first_not_of(kBlank), token.size()));
  token = token.substr(0, token.find_last_not_of(kBlank) + 1);
  return grant(config, step, response, now, token, nullptr);
}

Result<Grant> from_json(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now) {
  auto parsed = parse_answer(response.body);
  if (!parsed) return malformed(config, step, response, "with a body that is not the JSON it claims to be");
  const std::optional<json::Document> answer = std::move(*parsed);
  if (says_failure(step, *answer)) return refusal(config, step, response, answer, now);
  if (!is_accepted_type(step, *answer)) {
    return malformed(config, step, response,
                     "with a token of another type than the descriptor accepts (token_type at " + step.token_type_path + ")");
  }
  for (const std::string &path : step.token_paths) {
    const auto node = answer->find(path);
    if (!node) continue;
    const auto token = node->text();
    if (!token) return malformed(config, step, response, "with something that is not a string where the token should be (" + path + ")");
    return grant(config, step, response, now, *token, &*answer);
  }
  return malformed(config, step, response, "without a token at " + paths_of(step));
}

}  // namespace

Result<Grant> read_token(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now) {
  return step.token_format == provider::TokenFormat::Text ? from_text(config, step, response, now) : from_json(config, step, response, now);
}

}  // namespace fleetauth::flow
