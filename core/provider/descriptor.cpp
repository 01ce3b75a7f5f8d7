#include "core/provider/descriptor.h"

#include <algorithm>

#include "core/provider/lint.h"
#include "core/provider/parse.h"

namespace fleetauth::provider {
namespace {

constexpr std::size_t kMaxText = 256 * 1024;
constexpr std::int64_t kVersion = 1;

template <class T>
const T *find(const std::vector<T> &things, std::string_view name) {
  const auto found = std::find_if(things.begin(), things.end(), [&](const T &thing) { return thing.name == name; });
  return found == things.end() ? nullptr : &*found;
}

// Later versions may mean other things by the same words, so nothing else is looked at.
bool check_version(const lint::Fields &fields) {
  if (!fields.require("descriptor")) return false;
  const lint::Place version = fields.at("descriptor");
  if (version.value().type == json::Type::Integer && version.value().integer == kVersion) return true;
  version.complain("must be " + std::to_string(kVersion) + ", the version of the descriptor language this library reads");
  return false;
}

bool body_uses(const json::Value &body, Input input) {
  if (const auto leaf = json_leaf(body)) return leaf->input == input;
  return std::any_of(body.items.begin(), body.items.end(), [input](const json::Value &item) { return body_uses(item, input); }) ||
         std::any_of(body.members.begin(), body.members.end(), [input](const auto &member) { return body_uses(member.second, input); });
}

void add_parameters(const json::Value &body, std::vector<std::string> &out) {
  const auto leaf = json_leaf(body);
  if (leaf && !leaf->input) return out.push_back(std::string(leaf->name));
  for (const json::Value &item : body.items) add_parameters(item, out);
  for (const auto &[name, member] : body.members) add_parameters(member, out);
}

void add_claims(const json::Value &body, std::vector<std::string> &out) {
  const auto leaf = json_leaf(body);
  if (leaf && leaf->input == Input::Claim) out.emplace_back(leaf->name);
  for (const json::Value &item : body.items) add_claims(item, out);
  for (const auto &[name, member] : body.members) add_claims(member, out);
}

bool any_step_uses(const Descriptor &descriptor, const Credential &credential, Input input) {
  const auto uses = [&](const std::string &name) {
    const Step *step = descriptor.step(name);
    return step != nullptr && step->uses(input);
  };
  return std::any_of(credential.steps.begin(), credential.steps.end(), uses) || (credential.refresh && uses(credential.refresh->step));
}

std::size_t authority_size(std::string_view base_url) {
  const std::size_t slash = base_url.find('/', base_url.find("://") + 3);
  return slash == std::string_view::npos ? base_url.size() : slash;
}

}  // namespace

std::string_view Origin::authority() const { return std::string_view(base_url).substr(0, authority_size(base_url)); }
std::string_view Origin::prefix() const { return std::string_view(base_url).substr(authority_size(base_url)); }

bool Step::uses(Input input) const {
  const auto in_any = [input](const std::vector<NamedTemplate> &members) {
    return std::any_of(members.begin(), members.end(), [input](const NamedTemplate &member) { return member.value.uses(input); });
  };
  return path.uses(input) || in_any(headers) || in_any(query) || in_any(form_body) || body_uses(json_body, input);
}

std::vector<std::string> Step::parameters() const {
  std::vector<std::string> out = path.parameters();
  for (const auto *members : {&headers, &query, &form_body}) {
    for (const NamedTemplate &member : *members) {
      for (std::string &used : member.value.parameters()) out.push_back(std::move(used));
    }
  }
  add_parameters(json_body, out);
  return out;
}

std::vector<std::string> Step::claims() const {
  std::vector<std::string> out = path.claims();
  for (const auto *members : {&headers, &query, &form_body}) {
    for (const NamedTemplate &member : *members) {
      for (std::string &used : member.value.claims()) out.push_back(std::move(used));
    }
  }
  add_claims(json_body, out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool Credential::is_refusal(std::int32_t http_status) const {
  return std::find(refused_statuses.begin(), refused_statuses.end(), http_status) != refused_statuses.end();
}

bool JwtRule::uses(Input input) const { return body_uses(payload, input); }

std::vector<std::string> JwtRule::parameters() const {
  std::vector<std::string> out;
  add_parameters(payload, out);
  return out;
}

bool Descriptor::takes_claims(const Credential &credential) const {
  return credential.jwt.uses(Input::Claims) || credential.jwt.uses(Input::Claim) || any_step_uses(*this, credential, Input::Claim);
}

bool Descriptor::takes_account(const Credential &credential) const {
  return credential.jwt.uses(Input::Account) || any_step_uses(*this, credential, Input::Account);
}

const Parameter *Descriptor::parameter(std::string_view wanted) const { return find(parameters, wanted); }
const Origin *Descriptor::origin(std::string_view wanted) const { return find(origins, wanted); }
const Step *Descriptor::step(std::string_view wanted) const { return find(steps, wanted); }
const Credential *Descriptor::credential(std::string_view wanted) const { return find(credentials, wanted); }
const Scheme *Descriptor::scheme(std::string_view wanted) const { return find(schemes, wanted); }
const Api *Descriptor::api(std::string_view wanted) const { return find(apis, wanted); }

Result<Descriptor> parse_descriptor(std::string_view text, std::string_view source) {
  if (text.size() > kMaxText) {
    return fail(Status::Descriptor, std::string(source) + ": a descriptor has at most " + std::to_string(kMaxText) + " bytes");
  }
  auto tree = json::parse_tree(text, source, Status::Descriptor);
  if (!tree) return tree.error();
  return parse_descriptor(std::move(*tree), source);
}

Result<Descriptor> parse_descriptor(json::Value tree, std::string_view source) {
  Descriptor out;
  out.source = std::move(tree);
  lint::Problems problems(source);
  const lint::Place root(out.source, "", problems);
  const lint::Fields fields(root, {"$schema", "descriptor", "name", "title", "doc", "parameters", "claims", "origins", "steps",
                                   "credentials", "schemes", "apis", "life"});
  if (!check_version(fields)) return problems.error();

  if (fields.require("name")) {
    out.name = fields.at("name").text();
    parse::check_name(out.name, fields.at("name"));
  }
  if (fields.require("title")) out.title = fields.at("title").text();
  if (fields.has("doc")) out.doc = fields.at("doc").text(4096);
  // Each may refer to those before it.
  if (fields.has("parameters")) parse::parameters(fields.at("parameters"), out);
  if (fields.has("claims")) parse::claims(fields.at("claims"), out);
  if (fields.require("origins")) parse::origins(fields.at("origins"), out);
  if (fields.has("steps")) parse::steps(fields.at("steps"), out);
  if (fields.require("credentials")) parse::credentials(fields.at("credentials"), out);
  if (fields.require("schemes")) parse::schemes(fields.at("schemes"), out);
  if (fields.has("credentials")) parse::check_keys(fields.at("credentials"), out);
  if (fields.require("apis")) parse::apis(fields.at("apis"), out);
  if (fields.has("life")) parse::life(fields.at("life"), out);

  if (!problems.empty()) return problems.error();
  return out;
}

Result<std::shared_ptr<const Descriptor>> builtin(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Builtin &candidate : builtins()) {
    if (candidate.name == name) {
      auto descriptor = parse_descriptor(candidate.text, candidate.name);
      if (!descriptor) return descriptor.error();
      return std::make_shared<const Descriptor>(std::move(*descriptor));
    }
    known.push_back(candidate.name);
  }
  return fail(Status::Config,
              "there is no built-in provider " + lint::quoted_with_hint(name, known) + "; there are " + lint::alternatives(known));
}

}  // namespace fleetauth::provider
