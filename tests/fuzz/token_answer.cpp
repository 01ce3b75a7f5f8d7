// Whatever a server answers, the outcome is one token of legal characters with a lifetime in bounds, or an error without the server's
// words. Input: one byte chooses the credential, one the status; then header lines "name: value", an empty line, the body.
#include <cstdint>
#include <cstdlib>

#include "core/base/redact.h"
#include "core/flow/machine.h"
#include "core/provider/client_config.h"

using namespace fleetauth;

namespace {

// A server may repeat what it was sent; the dictionary holds them.
constexpr const char *kSecrets[] = {"Canary0secret1Value2", "Canary3secret4Value5"};

provider::ClientConfig client(std::string_view name, const std::vector<std::pair<std::string, std::string>> &options) {
  std::vector<provider::GivenValue> given;
  for (const auto &[option, value] : options) given.push_back({option, SecretBytes(value)});
  auto config = provider::configure(*provider::builtin(name), std::move(given));
  if (!config) std::abort();
  return std::move(*config);
}

struct Case {
  const provider::ClientConfig *config;
  const char *credential;
};

const Case &pick(std::uint8_t byte) {
  static const auto *const fleetup =
      new provider::ClientConfig(client("fleetup", {{"api_key", kSecrets[0]}, {"acct_id", "1"}, {"secret", kSecrets[1]}}));
  static const auto *const fleet =
      new provider::ClientConfig(client("my_connected_fleet", {{"client_id", "id"}, {"client_secret", kSecrets[1]}}));
  static const auto *const cases = new std::vector<Case>{{fleetup, "jwt"}, {fleetup, "legacy"}, {fleet, "oauth"}};
  return (*cases)[byte % cases->size()];
}

flow::HttpResponse read(std::uint8_t status, std::string_view text) {
  constexpr std::int32_t kStatuses[] = {200, 201, 204, 302, 400, 401, 403, 404, 429, 500, 503, 100, 600};
  flow::HttpResponse out;
  out.status = kStatuses[status % std::size(kStatuses)];
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) break;
    const std::size_t colon = std::min(line.find(':'), line.size());
    out.headers.push_back({std::string(line.substr(0, colon)), SecretBytes(line.substr(std::min(colon + 1, line.size())))});
  }
  out.body = SecretBytes(text);
  return out;
}

void check(const flow::Effect &effect, const provider::ClientConfig &config) {
  if (const auto *granted = std::get_if<flow::Granted>(&effect)) {
    const flow::Grant &grant = granted->grant;
    if (!redact::is_token(grant.access.view())) std::abort();
    if (grant.lifetime_ms < 0 || grant.lifetime_ms > config.descriptor->life.max_lifetime_ms) std::abort();
    return;
  }
  const auto *failed = std::get_if<flow::Failed>(&effect);
  if (failed == nullptr) std::abort();
  const Error &error = *failed->error;
  if (error.status == Status::Ok || error.status == Status::Internal) std::abort();
  if (error.provider_code != redact::filter_code(error.provider_code)) std::abort();
  if (error.retry_after_ms < -1 || error.retry_after_ms > 3'600'000) std::abort();
  for (const char c : error.message) {
    if (c < ' ' || c > '~') std::abort();
  }
  for (const provider::Parameter &parameter : config.descriptor->parameters) {
    if (!parameter.secret) continue;
    const std::string_view secret = config.value(parameter.name)->text.view();
    if ((error.message + '\n' + error.provider_code).find(secret) != std::string::npos) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size < 2) return 0;
  const Case &chosen = pick(data[0]);
  constexpr flow::Now kNow{.boot = 1'000'000, .wall = 1'767'323'045'000};
  const auto machine = flow::make_login(*chosen.config, *chosen.config->descriptor->credential(chosen.credential), {}, {});
  (void)machine->start(kNow);
  check(machine->on_response(read(data[1], {reinterpret_cast<const char *>(data) + 2, size - 2}), kNow), *chosen.config);
  return 0;
}
