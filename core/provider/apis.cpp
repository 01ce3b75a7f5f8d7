#include <algorithm>

#include "core/provider/parse.h"
#include "core/provider/syntax.h"

namespace fleetauth::provider::parse {
namespace {

using Part = Template::Part;

std::size_t count_parts(const Scheme &scheme, Part::Kind kind) {
  std::size_t count = 0;
  for (const NamedTemplate &header : scheme.headers) {
    count += static_cast<std::size_t>(
        std::count_if(header.value.parts.begin(), header.value.parts.end(), [&](const Part &part) { return part.kind == kind; }));
  }
  return count;
}

// A scheme sends what its credential is, and nothing that its credential is not.
void check_sends(const Scheme &scheme, const Credential &credential, const Descriptor &descriptor, const lint::Place &place) {
  const std::size_t tokens = count_parts(scheme, Part::Kind::Input);
  const std::size_t pairs = count_parts(scheme, Part::Kind::Basic);
  switch (credential.kind) {
    case FlowKind::Exchange:
    case FlowKind::SignedJwt:
      if (tokens == 0) place.complain("no header holds {\"$token\": true}, so the token would never be sent");
      return;
    case FlowKind::Basic:
      if (pairs != 1) place.complain("exactly one header must hold {\"$basic\": [user name, password]} for a credential of flow \"basic\"");
      break;
    case FlowKind::StaticHeader: {
      const bool secret = std::any_of(scheme.headers.begin(), scheme.headers.end(), [&](const NamedTemplate &header) {
        const auto used = header.value.parameters();
        return std::any_of(used.begin(), used.end(), [&](const std::string &name) {
          const Parameter *parameter = descriptor.parameter(name);
          return parameter != nullptr && parameter->secret;
        });
      });
      if (!secret) place.complain("a header must hold a secret parameter for a credential of flow \"static_header\"");
      if (pairs != 0) place.complain("{\"$basic\": ...} needs a credential of flow \"basic\"");
      break;
    }
  }
  if (tokens != 0) place.complain("{\"$token\": true} needs a credential of flow \"exchange\" or \"signed_jwt\"");
}

std::vector<std::string> methods(const lint::Place &place) {
  return references(place, "method", {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, 7);
}

bool same_calls(const Api &a, const Api &b) {
  if (a.origin != b.origin || a.path != b.path) return false;
  if (a.methods.empty() || b.methods.empty()) return a.methods.empty() && b.methods.empty();
  return std::any_of(a.methods.begin(), a.methods.end(),
                     [&](const std::string &method) { return std::find(b.methods.begin(), b.methods.end(), method) != b.methods.end(); });
}

}  // namespace

void schemes(const lint::Place &place, Descriptor &out) {
  for (const auto &[name, member] : place.members(16)) {
    check_name(name, member);
    Scheme scheme;
    scheme.name = name;
    const lint::Fields fields(member, {"credential", "headers", "doc"});
    if (fields.require("credential")) scheme.credential = reference(fields.at("credential"), "credential", names(out.credentials));
    if (fields.require("headers"))
      scheme.headers = parse_headers(fields.at("headers"), {.descriptor = &out, .inputs = {Input::Token}, .basic = true});
    if (fields.has("doc")) scheme.doc = fields.at("doc").text(4096);
    const Credential *credential = out.credential(scheme.credential);
    if (credential != nullptr && fields.has("headers")) check_sends(scheme, *credential, out, fields.at("headers"));
    out.schemes.push_back(std::move(scheme));
  }
  if (out.schemes.empty()) place.complain("must name at least one scheme");
}

void apis(const lint::Place &place, Descriptor &out) {
  for (const auto &[name, member] : place.members(64)) {
    check_name(name, member);
    Api api;
    api.name = name;
    const lint::Fields fields(member, {"origin", "path", "methods", "schemes", "doc"});
    if (fields.require("origin")) api.origin = reference(fields.at("origin"), "origin", names(out.origins));
    if (fields.require("path")) {
      api.path = fields.at("path").text(1024);
      if (const auto complaint = syntax::check_path(api.path, true)) fields.at("path").complain(*complaint);
    }
    if (fields.has("methods")) api.methods = methods(fields.at("methods"));
    if (fields.require("schemes")) api.schemes = references(fields.at("schemes"), "scheme", names(out.schemes), 16);
    if (fields.has("doc")) api.doc = fields.at("doc").text(4096);
    const auto rival = std::find_if(out.apis.begin(), out.apis.end(), [&](const Api &other) { return same_calls(api, other); });
    if (rival != out.apis.end()) member.complain("covers the same calls as \"" + rival->name + "\"");
    out.apis.push_back(std::move(api));
  }
  if (out.apis.empty()) place.complain("must name at least one API group");
}

}  // namespace fleetauth::provider::parse
