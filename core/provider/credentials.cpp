#include <algorithm>
#include <array>

#include "core/provider/parse.h"

namespace fleetauth::provider::parse {
namespace {

/// What a step is for: what its answer must give, and what its request may use.
struct Role {
  std::string_view what;
  Yield yield;
  std::vector<Input> inputs;
};

const Role kObtain{"that obtains the token", Yield::Token, {Input::Account}};
const Role kRefresh{"that refreshes the token", Yield::Token, {Input::RefreshToken, Input::Account}};
const Role kAnswer{"that answers a challenge", Yield::Token, {Input::Code, Input::Echo, Input::Account}};
const Role kIdentity{"that tells who the caller is", Yield::Identity, {Input::Token, Input::Account}};
const Role kAccounts{"that lists accounts", Yield::Accounts, {Input::Token}};
const Role kRevoke{"that revokes", Yield::Nothing, {Input::Token, Input::RefreshToken, Input::Account}};

std::string_view yielded(Yield yield) {
  constexpr std::array<std::string_view, 4> kWords{"\"token\" and \"expiry\"", "\"identity\"", "\"accounts\"",
                                                   "neither token, identity nor accounts"};
  return kWords[static_cast<std::size_t>(yield)];
}

void check_role(const lint::Place &place, const Step &step, const Role &role) {
  if (step.yield != role.yield) {
    place.complain("the step \"" + step.name + "\", one " + std::string(role.what) + ", must have " + std::string(yielded(role.yield)));
  }
  for (std::size_t i = 0; i < kInputWords.size(); ++i) {
    const auto input = static_cast<Input>(i);
    if (std::find(role.inputs.begin(), role.inputs.end(), input) != role.inputs.end() || !step.uses(input)) continue;
    place.complain("the step \"" + step.name + "\", one " + std::string(role.what) + ", has no " + std::string(kInputWords[i].word) +
                   " to send");
  }
}

std::string role_step(const lint::Place &place, const Descriptor &descriptor, const Role &role) {
  std::string name = reference(place, "step", names(descriptor.steps));
  if (const Step *step = descriptor.step(name)) check_role(place, *step, role);
  return name;
}

/// One name or a list of them.
std::vector<std::string> role_steps(const lint::Place &place, const Descriptor &descriptor, const Role &role) {
  if (place.value().type != json::Type::Array) return {role_step(place, descriptor, role)};
  std::vector<std::string> out = references(place, "step", names(descriptor.steps), 8);
  for (const std::string &name : out) check_role(place, *descriptor.step(name), role);
  return out;
}

std::string parameter(const lint::Place &place, const Descriptor &descriptor, bool secret) {
  std::string name = reference(place, "parameter", names(descriptor.parameters));
  const Parameter *found = descriptor.parameter(name);
  if (found != nullptr && found->secret != secret)
    place.complain("must name a parameter that is " + std::string(secret ? "" : "not ") + "secret");
  return name;
}

RefreshRule refresh(const lint::Place &place, const Descriptor &descriptor) {
  constexpr std::int64_t kTenYears = 10LL * 366 * 24 * 3600;
  RefreshRule out;
  const lint::Fields fields(place, {"step", "lifetime_s", "initial"});
  if (fields.require("step")) out.step = role_step(fields.at("step"), descriptor, kRefresh);
  if (fields.has("lifetime_s")) out.lifetime_ms = fields.at("lifetime_s").integer(1, kTenYears) * 1000;
  if (fields.has("initial")) out.initial_parameter = parameter(fields.at("initial"), descriptor, true);
  return out;
}

/// The steps that answer the challenges of the others.
void check_challenges(const lint::Place &place, const Credential &credential, const Descriptor &descriptor) {
  bool asks = false;
  std::vector<std::string> asking = credential.steps;
  if (credential.refresh) asking.push_back(credential.refresh->step);
  for (const std::string &name : asking) {
    const Step *step = descriptor.step(name);
    if (step == nullptr || !step->challenge) continue;
    asks = true;
    const Step *answer = descriptor.step(step->challenge->step);
    if (answer == nullptr) {
      place.complain("the challenge of the step \"" + name + "\" names a step that there is not: \"" + step->challenge->step + "\"");
      continue;
    }
    check_role(place, *answer, kAnswer);
    if (answer->challenge) place.complain("the step \"" + answer->name + "\" answers a challenge and must not ask for another");
    if (!answer->uses(Input::Code)) place.complain("the step \"" + answer->name + "\" answers a challenge and must send {\"$code\": true}");
  }
  if (!asks && !credential.totp_parameter.empty()) place.complain("\"totp\" is of no use, since no step has a \"challenge\"");
}

void exchange(const lint::Fields &fields, const lint::Place &place, Credential &out, const Descriptor &descriptor) {
  if (fields.has("step")) out.steps = role_steps(fields.at("step"), descriptor, kObtain);
  if (fields.has("refresh")) out.refresh = refresh(fields.at("refresh"), descriptor);
  if (fields.has("revoke")) out.revoke = role_steps(fields.at("revoke"), descriptor, kRevoke);
  if (fields.has("identity")) out.identity_step = role_step(fields.at("identity"), descriptor, kIdentity);
  if (fields.has("accounts")) out.accounts_step = role_step(fields.at("accounts"), descriptor, kAccounts);
  if (fields.has("account")) out.account_parameter = parameter(fields.at("account"), descriptor, false);
  if (fields.has("totp")) out.totp_parameter = parameter(fields.at("totp"), descriptor, true);
  const bool per_account = std::any_of(out.steps.begin(), out.steps.end(), [&](const std::string &name) {
    const Step *step = descriptor.step(name);
    return step != nullptr && step->uses(Input::Account);
  });
  if (per_account && out.refresh && !out.refresh->initial_parameter.empty()) {
    fields.at("refresh").complain(
        "\"initial\" is one account's refresh token, but \"step\" gives a token per account; make two credentials of it");
  }
  const bool begins = !out.steps.empty() || (out.refresh && !out.refresh->initial_parameter.empty());
  if (!begins) place.complain("needs \"step\", or a \"refresh\" with \"initial\": there is no way to a first token");
  check_challenges(place, out, descriptor);
}

}  // namespace

void credentials(const lint::Place &place, Descriptor &out) {
  constexpr std::array kFlows{FlowKind::Exchange, FlowKind::Basic, FlowKind::StaticHeader};
  const std::vector<std::string_view> exchange_only{"step", "refresh", "revoke", "identity", "accounts", "account", "totp"};
  std::vector<std::string_view> known = exchange_only;
  known.insert(known.begin(), "flow");
  for (const auto &[name, member] : place.members(16)) {
    check_name(name, member);
    Credential credential;
    credential.name = name;
    const lint::Fields fields(member, known);
    if (fields.require("flow")) credential.kind = kFlows[fields.at("flow").choice({"exchange", "basic", "static_header"})];
    if (credential.kind == FlowKind::Exchange) {
      exchange(fields, member, credential, out);
    } else {
      for (const std::string_view field : exchange_only) {
        if (fields.has(field)) fields.at(field).complain("belongs to flow \"exchange\" only");
      }
    }
    out.credentials.push_back(std::move(credential));
  }
  if (out.credentials.empty()) place.complain("must name at least one credential");
}

}  // namespace fleetauth::provider::parse
