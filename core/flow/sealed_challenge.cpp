#include "core/flow/sealed_challenge.h"

#include <optional>
#include <utility>

#include "core/crypto/seal.h"

namespace fleetauth::flow {
namespace {

constexpr std::string_view kLabel = "fleetauth/challenge/v1";

// ------------------------------------------------------------------ the record: JSON, whose echoes are [name, type, text]

void append_text(SecretBytes &out, std::string_view text) {
  out.reserve(out.size() + 6 * text.size() + 2);
  json::append_string(out, text);
}

SecretBytes written(const Challenge &challenge) {
  SecretBytes out("{\"credential\":");
  append_text(out, challenge.credential);
  out.append(",\"step\":");
  append_text(out, challenge.step);
  out.append(",\"account\":");
  append_text(out, challenge.account);
  out.append(",\"asked\":" + std::to_string(challenge.asked) + ",\"lifetime_ms\":" + std::to_string(challenge.lifetime_ms) +
             ",\"echoes\":[");
  std::string_view separator;
  for (const provider::Echo &echo : challenge.echoes) {
    out.append(separator);
    separator = ",";
    out.append("[");
    append_text(out, echo.name);
    out.append("," + std::to_string(static_cast<int>(echo.type)) + ",");
    append_text(out, echo.text.view());
    out.append("]");
  }
  out.append("]}");
  return out;
}

std::string text_at(const json::Document &record, std::string_view path) {
  const auto node = record.find(path);
  return node && node->text() ? std::string(*node->text()) : std::string();
}

std::int64_t integer_at(const json::Document &record, std::string_view path) {
  const auto node = record.find(path);
  return node ? node->integer().value_or(-1) : -1;
}

std::optional<provider::Echo> read_echo(const json::Node &item) {
  const auto name = item.find("/0");
  const auto type = item.find("/1");
  const auto text = item.find("/2");
  if (!name || !name->text() || !type || !text || !text->text()) return std::nullopt;
  for (const json::Type known : {json::Type::String, json::Type::Integer, json::Type::Boolean}) {
    if (type->integer() == static_cast<int>(known)) return provider::Echo{std::string(*name->text()), known, SecretBytes(*text->text())};
  }
  return std::nullopt;
}

/// Null for what written() would not write.
std::shared_ptr<const Challenge> read(const json::Document &record) {
  auto out = std::make_shared<Challenge>();
  out->credential = text_at(record, "/credential");
  out->step = text_at(record, "/step");
  out->account = text_at(record, "/account");
  out->asked = integer_at(record, "/asked");
  out->lifetime_ms = integer_at(record, "/lifetime_ms");
  const auto echoes = record.find("/echoes");
  if (out->asked < 0 || out->lifetime_ms <= 0 || !echoes) return nullptr;
  for (const json::Node &item : echoes->items()) {
    auto echo = read_echo(item);
    if (!echo) return nullptr;
    out->echoes.push_back(std::move(*echo));
  }
  return out;
}

// ------------------------------------------------------------------ what it is bound to

std::string context_of(const provider::ClientConfig &config) {
  std::string out;
  const auto add = [&out](std::string_view part) { out += std::to_string(part.size()) + ":" + std::string(part); };
  add(config.descriptor->name);
  for (const provider::Origin &origin : config.descriptor->origins) add(origin.base_url);
  for (const provider::Parameter &parameter : config.descriptor->parameters) {
    const provider::ParameterValue *value = parameter.secret ? nullptr : config.value(parameter.name);
    if (value == nullptr) continue;
    add(parameter.name);
    add(value->text.view());
  }
  return out;
}

}  // namespace

Result<SecretBytes> seal_challenge(const provider::ClientConfig &config, const Challenge &challenge, std::string_view key) {
  return crypto::seal(key, kLabel, context_of(config), written(challenge).view());
}

Result<std::shared_ptr<const Challenge>> open_challenge(const provider::ClientConfig &config, std::string_view sealed,
                                                        std::string_view key) {
  const auto record = crypto::open(key, kLabel, context_of(config), sealed);
  if (!record) return record.error();
  const auto parsed = json::Document::parse(*record);
  auto challenge = parsed ? read(*parsed) : nullptr;
  if (challenge == nullptr) return fail(Status::Crypto, "the sealed challenge holds something that is no challenge");
  return challenge;
}

}  // namespace fleetauth::flow
