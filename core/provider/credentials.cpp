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

const Role kObtain{"that obtains the token", Yield::Token, {Input::Account, Input::Claim}};
const Role kRefresh{"that refreshes the token", Yield::Token, {Input::RefreshToken, Input::Account, Input::Claim}};
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
    if (descriptor.takes_claims(credential)) place.complain("its token is for claims, and the question for a one-time code cannot be");
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
  const Step *renews = out.refresh ? descriptor.step(out.refresh->step) : nullptr;
  const auto renewed_for = renews == nullptr ? std::vector<std::string>{} : renews->claims();
  const bool all_alike = std::all_of(out.steps.begin(), out.steps.end(), [&](const std::string &name) {
    const Step *step = descriptor.step(name);
    return step == nullptr || step->claims() == renewed_for;
  });
  if (!renewed_for.empty() && !all_alike) fields.at("refresh").complain("its step sends other claims than \"step\"");
  const bool per_account = descriptor.takes_account(out);
  if (per_account && out.refresh && !out.refresh->initial_parameter.empty()) {
    fields.at("refresh").complain(
        "\"initial\" is one account's refresh token, but \"step\" gives a token per account; make two credentials of it");
  }
  const bool begins = !out.steps.empty() || (out.refresh && !out.refresh->initial_parameter.empty());
  if (!begins) place.complain("needs \"step\", or a \"refresh\" with \"initial\": there is no way to a first token");
  check_challenges(place, out, descriptor);
}

void claim_set(const lint::Fields &fields, Credential &out, const Descriptor &descriptor) {
  if (!fields.has("claim_set")) return;
  out.claim_set_parameter = parameter(fields.at("claim_set"), descriptor, false);
  if (!descriptor.takes_claims(out)) fields.at("claim_set").complain("is of no use, since the token is not for claims");
}

KeyRule key(const lint::Place &place, const Descriptor &descriptor) {
  KeyRule out;
  const lint::Fields fields(place, {"service_account", "file", "issuer", "key_id"});
  if (fields.require("service_account")) out.service_account = parameter(fields.at("service_account"), descriptor, true);
  if (fields.has("file")) out.file = parameter(fields.at("file"), descriptor, false);
  if (fields.has("issuer")) out.issuer = parameter(fields.at("issuer"), descriptor, false);
  if (fields.has("key_id")) out.key_id = parameter(fields.at("key_id"), descriptor, false);
  return out;
}

json::Value payload(const lint::Place &place, const Descriptor &descriptor) {
  if (place.value().type != json::Type::Object || json_leaf(place.value())) place.complain("must be an object of members");
  for (const std::string_view name : {"iat", "exp"}) {
    if (place.value().member(name) != nullptr) place.complain("must not hold \"" + std::string(name) + "\", which is added");
  }
  check_json_body(place, {.descriptor = &descriptor});
  return place.value();
}

void signed_jwt(const lint::Fields &fields, Credential &out, const Descriptor &descriptor) {
  constexpr std::int64_t kDay = 24LL * 3600;
  if (fields.require("key")) out.jwt.key = key(fields.at("key"), descriptor);
  if (fields.require("payload")) out.jwt.payload = payload(fields.at("payload"), descriptor);
  if (fields.has("lifetime_s")) out.jwt.lifetime_s = fields.at("lifetime_s").integer(60, kDay);
  if (fields.has("lifetime")) {
    out.jwt.lifetime_parameter = parameter(fields.at("lifetime"), descriptor, false);
    const Parameter *lifetime = descriptor.parameter(out.jwt.lifetime_parameter);
    if (lifetime != nullptr && lifetime->type != ParameterType::Integer)
      fields.at("lifetime").complain("must name a parameter of type integer");
  }
  for (const Input input : {Input::Token, Input::RefreshToken, Input::Code, Input::Echo}) {
    if (out.jwt.uses(input)) fields.at("payload").complain("has no " + std::string(word_of(input).word) + " to hold");
  }
}

/// What beside the key itself needs the parameter; empty when nothing does.
std::string user_of(const std::string &parameter, const Credential &credential, const Descriptor &descriptor) {
  const auto among = [&](const std::vector<std::string> &names) { return std::find(names.begin(), names.end(), parameter) != names.end(); };
  if (among(credential.jwt.parameters())) return "\"payload\"";
  for (const Step &step : descriptor.steps) {
    if (among(step.parameters()) || among(step.needs)) return "the step \"" + step.name + "\"";
  }
  for (const Scheme &scheme : descriptor.schemes) {
    for (const NamedTemplate &header : scheme.headers) {
      if (among(header.value.parameters())) return "the scheme \"" + scheme.name + "\"";
    }
  }
  return {};
}

void check_belongs(const lint::Fields &fields, const std::vector<std::string_view> &members, std::string_view flow) {
  for (const std::string_view member : members) {
    if (fields.has(member)) fields.at(member).complain("belongs to flow \"" + std::string(flow) + "\" only");
  }
}

}  // namespace

void credentials(const lint::Place &place, Descriptor &out) {
  constexpr std::array kFlows{FlowKind::Exchange, FlowKind::SignedJwt, FlowKind::Basic, FlowKind::StaticHeader};
  const std::vector<std::string_view> of_exchange{"step", "refresh", "revoke", "identity", "accounts", "account", "totp"};
  const std::vector<std::string_view> of_jwt{"key", "payload", "lifetime_s", "lifetime"};
  std::vector<std::string_view> known{"flow", "refused", "claim_set"};
  known.insert(known.end(), of_exchange.begin(), of_exchange.end());
  known.insert(known.end(), of_jwt.begin(), of_jwt.end());
  for (const auto &[name, member] : place.members(16)) {
    check_name(name, member);
    Credential credential;
    credential.name = name;
    const lint::Fields fields(member, known);
    if (fields.require("flow")) credential.kind = kFlows[fields.at("flow").choice({"exchange", "signed_jwt", "basic", "static_header"})];
    if (credential.kind != FlowKind::Exchange) check_belongs(fields, of_exchange, "exchange");
    if (credential.kind != FlowKind::SignedJwt) check_belongs(fields, of_jwt, "signed_jwt");
    if (credential.kind == FlowKind::Exchange) exchange(fields, member, credential, out);
    if (credential.kind == FlowKind::SignedJwt) signed_jwt(fields, credential, out);
    claim_set(fields, credential, out);
    if (fields.has("refused")) credential.refused_statuses = statuses(fields.at("refused"), 400, 499);
    if (fields.has("refused") && !has_token(credential.kind)) fields.at("refused").complain("is of no use without a token to renew");
    out.credentials.push_back(std::move(credential));
  }
  if (out.credentials.empty()) place.complain("must name at least one credential");
}

void check_keys(const lint::Place &credentials, const Descriptor &descriptor) {
  for (const Credential &credential : descriptor.credentials) {
    const std::string &parameter = credential.jwt.key.service_account;
    const std::string user = parameter.empty() ? "" : user_of(parameter, credential, descriptor);
    if (user.empty()) continue;
    const lint::Place place = credentials.member(credential.name, *credentials.value().member(credential.name));
    place.complain("\"service_account\" names a parameter that " + user + " uses too, but a key's text is not kept once it is read");
  }
}

}  // namespace fleetauth::provider::parse
