#include "core/flow/inquiry_answer.h"

#include "core/base/redact.h"
#include "core/flow/answer.h"

namespace fleetauth::flow {
namespace {

using provider::ClientConfig;
using provider::Step;

/// A text, an integer or a boolean; nothing for what is null, or not a value that can be shown.
std::optional<std::string> scalar(const json::Node &node) {
  if (const auto text = node.text()) return std::string(*text);
  if (const auto integer = node.integer()) return std::to_string(*integer);
  if (const auto boolean = node.boolean()) return *boolean ? "true" : "false";
  return {};
}

std::optional<std::string> first_scalar(const json::Node &node, const std::vector<std::string> &paths) {
  for (const std::string &path : paths) {
    const auto found = node.find(path);
    if (!found) continue;
    if (auto value = scalar(*found)) return value;
  }
  return {};
}

}  // namespace

Result<Identity> read_identity(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now) {
  const auto answer = read_success(config, step, response, now);
  if (!answer) return answer.error();
  Identity out;
  for (const provider::NamedPointers &field : step.identity) {
    if (auto value = first_scalar(answer->root(), field.paths)) out.fields.emplace_back(field.name, std::move(*value));
  }
  if (out.fields.empty()) return malformed(config, step, response, "without anything that tells who the caller is");
  return out;
}

Result<Accounts> read_accounts(const ClientConfig &config, const Step &step, const HttpResponse &response, const Now &now) {
  const auto answer = read_success(config, step, response, now);
  if (!answer) return answer.error();
  const auto list = answer->find(step.accounts.items);
  if (!list || list->type() != json::Type::Array) return malformed(config, step, response, "without a list at " + step.accounts.items);
  Accounts out;
  for (const json::Node &item : list->items()) {
    auto id = first_scalar(item, step.accounts.id);
    if (!id || id->empty()) {
      return malformed(config, step, response,
                       "with an account that has no id (entry " + std::to_string(out.size()) + " of " + step.accounts.items + ")");
    }
    out.push_back({std::move(*id), first_scalar(item, step.accounts.name).value_or(std::string())});
  }
  return out;
}

}  // namespace fleetauth::flow
