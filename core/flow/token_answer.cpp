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

Result<SecretBytes> checked_token(const ClientConfig &config, const Step &step, const HttpResponse &response, std::string_view token) {
  if (redact::is_token(token)) return SecretBytes(token);
  return malformed(
      config, step, response,
      "with a token that is empty, longer than " + std::to_string(redact::kMaxToken) + " bytes, or holds a character which no token may");
}

Result<SecretBytes> token_at(const ClientConfig &config, const Step &step, const HttpResponse &response, const json::Node &node,
                             const std::string &path) {
  const auto token = node.text();
  if (!token) return malformed(config, step, response, "with something that is not a string where the token should be (" + path + ")");
  return checked_token(config, step, response, *token);
}

Grant grant(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now, SecretBytes token,
            const json::Document *answer) {
  const Lifetime lifetime = read_lifetime(config.descriptor->life, step, answer, token.view(), server_time(response, now));
  Grant out;
  out.access = std::move(token);
  out.lifetime_ms = lifetime.ms;
  out.expiry_unknown = lifetime.unknown;
  return out;
}

Result<TokenAnswer> from_text(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::string_view body = response.body.view();
  body.remove_prefix(std::min(body.find_first_not_of(kBlank), body.size()));
  auto token = checked_token(config, step, response, body.substr(0, body.find_last_not_of(kBlank) + 1));
  if (!token) return token.error();
  return TokenAnswer(grant(config, step, response, now, std::move(*token), nullptr));
}

/// What the first path that leads anywhere leads to.
struct Found {
  json::Node node;
  const std::string &path;
};
std::optional<Found> first_at(const json::Document &answer, const std::vector<std::string> &paths) {
  for (const std::string &path : paths) {
    const auto node = answer.find(path);
    if (node) return Found{*node, path};
  }
  return {};
}

bool is_there(const std::optional<Found> &found) { return found && found->node.type() != json::Type::Null; }

std::optional<provider::Echo> echo(const json::Document &answer, const provider::NamedPointers &rule) {
  const auto found = first_at(answer, rule.paths);
  if (!found) return {};
  const json::Type type = found->node.type();
  if (const auto text = found->node.text()) return provider::Echo{rule.name, type, SecretBytes(*text)};
  if (const auto integer = found->node.integer()) return provider::Echo{rule.name, type, SecretBytes(std::to_string(*integer))};
  if (const auto boolean = found->node.boolean()) return provider::Echo{rule.name, type, SecretBytes(*boolean ? "true" : "false")};
  return {};
}

Challenge challenge(const provider::ChallengeRule &rule, const json::Document *answer, const Now &now) {
  Challenge out;
  out.step = rule.step;
  out.asked = now.wall;
  out.lifetime_ms = rule.lifetime_ms;
  out.ends = now.boot + rule.lifetime_ms;
  for (const provider::NamedPointers &wanted : rule.echo) {
    if (answer == nullptr) break;
    if (auto found = echo(*answer, wanted)) out.echoes.push_back(std::move(*found));
  }
  return out;
}

Result<TokenAnswer> from_json(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now) {
  const auto answer = read_success(config, step, response, now);
  if (!answer) return answer.error();
  if (!is_accepted_type(step, *answer)) {
    return malformed(config, step, response,
                     "with a token of another type than the descriptor accepts (token_type at " + step.token_type_path + ")");
  }
  const auto found = first_at(*answer, step.token_paths);
  if (!is_there(found) && step.challenge) return TokenAnswer(challenge(*step.challenge, &*answer, now));
  if (!found) return malformed(config, step, response, "without a token at " + paths_of(step));
  auto token = token_at(config, step, response, found->node, found->path);
  if (!token) return token.error();
  Grant out = grant(config, step, response, now, std::move(*token), &*answer);
  if (const auto refresh = first_at(*answer, step.refresh_token_paths); is_there(refresh)) {
    auto refresh_token = token_at(config, step, response, refresh->node, refresh->path);
    if (!refresh_token) return refresh_token.error();
    out.refresh = std::move(*refresh_token);
  }
  return TokenAnswer(std::move(out));
}

}  // namespace

Result<TokenAnswer> read_token(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now) {
  return step.token_format == provider::TokenFormat::Text ? from_text(config, step, response, now) : from_json(config, step, response, now);
}

Challenge read_challenge(const Step &step, const HttpResponse &response, const Now &now) {
  const auto answer = parse_answer(response.body);
  return challenge(*step.challenge, answer ? &*answer : nullptr, now);
}

}  // namespace fleetauth::flow
