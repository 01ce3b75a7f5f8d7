#include <algorithm>

#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/provider/parse.h"
#include "core/provider/syntax.h"

namespace fleetauth::provider::parse {
namespace {

constexpr std::int64_t kYear = 366LL * 24 * 3600;

std::string pointer(const lint::Place &place) {
  std::string out = place.text();
  if (const auto complaint = syntax::check_pointer(out); complaint && !out.empty()) place.complain(*complaint);
  return out;
}

std::vector<std::string> pointers(const lint::Place &place) {
  std::vector<std::string> out;
  for (const lint::Place &item : place.items(8)) out.push_back(pointer(item));
  return out;
}

std::vector<std::int32_t> statuses(const lint::Place &place, std::int64_t min, std::int64_t max) {
  std::vector<std::int32_t> out;
  for (const lint::Place &item : place.items(16)) {
    const auto status = static_cast<std::int32_t>(item.integer(min, max));
    if (std::find(out.begin(), out.end(), status) != out.end()) item.complain("occurs twice");
    out.push_back(status);
  }
  return out;
}

void body(const lint::Place &place, Step &out, const Descriptor &descriptor) {
  const lint::Fields fields(place, {"json", "form"});
  if (place.value().members.size() != 1) place.complain("must have exactly one member: \"json\" or \"form\"");
  if (fields.has("json")) {
    out.body_kind = BodyKind::Json;
    const lint::Place tree = fields.at("json");
    if (tree.value().type != json::Type::Object && tree.value().type != json::Type::Array) tree.complain("must be an object or an array");
    check_json_body(tree, descriptor);
    out.json_body = tree.value();
  } else if (fields.has("form")) {
    out.body_kind = BodyKind::Form;
    out.form_body = parse_members(fields.at("form"), {.descriptor = &descriptor});
  }
}

// A secret in a URL ends up in the logs of whatever is on the way: it must be an explicit decision of the descriptor.
void check_secrets_in_url(const lint::Fields &fields, const Step &out, const Descriptor &descriptor) {
  std::vector<std::string> declared;
  std::vector<std::string_view> query_names = names(out.query);
  if (fields.has("secret_in_url")) declared = references(fields.at("secret_in_url"), "query member", query_names, 32);
  for (const NamedTemplate &member : out.query) {
    const auto used = member.value.parameters();
    const bool secret = std::any_of(used.begin(), used.end(), [&](const std::string &name) {
      const Parameter *parameter = descriptor.parameter(name);
      return parameter != nullptr && parameter->secret;
    });
    const bool listed = std::find(declared.begin(), declared.end(), member.name) != declared.end();
    if (secret && !listed) {
      const lint::Place query = fields.at("query");
      query.member(member.name, *query.value().member(member.name))
          .complain(
              "puts a secret into the URL; send it in the body or a header, or if the provider knows no other way list it in "
              "\"secret_in_url\"");
    }
    if (!secret && listed) {
      fields.at("secret_in_url").complain("query member \"" + member.name + "\" holds no secret; remove it from the list");
    }
  }
}

void success(const lint::Place &place, Step &out) {
  const lint::Fields fields(place, {"status", "not_false", "absent"});
  if (fields.has("status")) out.success_statuses = statuses(fields.at("status"), 200, 299);
  if (fields.has("not_false")) out.not_false = pointers(fields.at("not_false"));
  if (fields.has("absent")) out.absent = pointers(fields.at("absent"));
}

void token_type(const lint::Place &place, Step &out) {
  const lint::Fields fields(place, {"path", "accept"});
  if (fields.require("path")) out.token_type_path = pointer(fields.at("path"));
  if (!fields.require("accept")) return;
  for (const lint::Place &item : fields.at("accept").items(8)) out.token_types.push_back(item.text());
}

Expiry expiry(const lint::Place &place) {
  Expiry out;
  const std::vector<std::string_view> kinds{"seconds", "unix_s", "unix_ms", "iso8601", "jwt", "fixed_s"};
  std::vector<std::string_view> known = kinds;
  known.push_back("no_zone");
  const lint::Fields fields(place, known);

  const auto count = std::count_if(kinds.begin(), kinds.end(), [&](std::string_view kind) { return fields.has(kind); });
  if (count != 1) {
    place.complain("must have exactly one member of " + lint::alternatives(kinds));
    return out;
  }
  if (fields.has("no_zone")) {
    if (!fields.has("iso8601")) fields.at("no_zone").complain("belongs to \"iso8601\" only");
    (void)fields.at("no_zone").choice({"utc"});
    out.no_zone_is_utc = true;
  }
  if (fields.has("fixed_s")) {
    out.kind = Expiry::Kind::Fixed;
    out.fixed_ms = fields.at("fixed_s").integer(1, kYear) * 1000;
  } else if (fields.has("jwt")) {
    out.kind = Expiry::Kind::Jwt;
    if (!fields.at("jwt").boolean()) fields.at("jwt").complain("must be true");
  } else if (fields.has("seconds")) {
    out.kind = Expiry::Kind::Seconds;
    out.path = pointer(fields.at("seconds"));
  } else if (fields.has("unix_s")) {
    out.kind = Expiry::Kind::UnixSeconds;
    out.path = pointer(fields.at("unix_s"));
  } else if (fields.has("unix_ms")) {
    out.kind = Expiry::Kind::UnixMilliseconds;
    out.path = pointer(fields.at("unix_ms"));
  } else {
    out.kind = Expiry::Kind::Iso8601;
    out.path = pointer(fields.at("iso8601"));
  }
  return out;
}

std::vector<std::string_view> fault_words() {
  std::vector<std::string_view> out;
  for (const StatusRow &row : kStatusTable) {
    if (!row.fault.empty()) out.push_back(row.fault);
  }
  return out;
}

ErrorRule error_rule(const lint::Place &place) {
  ErrorRule out;
  const lint::Fields fields(place, {"status", "path", "contains", "is", "action"});
  if (fields.has("status")) out.statuses = statuses(fields.at("status"), 200, 599);
  if (fields.has("path")) out.path = pointer(fields.at("path"));
  if (fields.has("contains")) out.contains = fields.at("contains").text();
  if (!fields.has("status") && !fields.has("path") && !fields.has("contains")) {
    place.complain("needs a condition: \"status\", \"path\" or \"contains\"");
  }
  if (fields.require("is")) {
    const lint::Place is = fields.at("is");
    const auto words = fault_words();
    out.status = status_from_fault(words[is.choice(words)]).value_or(Status::Protocol);
  }
  if (fields.has("action")) out.action = fields.at("action").choice({"stop", "retry"}) == 0 ? ErrorAction::Stop : ErrorAction::Retry;
  return out;
}

void content_types(const lint::Place &place, Step &out) {
  for (const lint::Place &item : place.items(8)) {
    std::string type = item.text();
    const std::size_t slash = type.find('/');
    const bool media_type =
        slash != std::string::npos && redact::is_header_name(type.substr(0, slash)) && redact::is_header_name(type.substr(slash + 1));
    if (type != "none" && !media_type)
      item.complain("must be type/subtype without parameters, or \"none\" for answers without Content-Type");
    out.content_types.push_back(text::lower(type));
  }
}

void answer(const lint::Fields &fields, Step &out) {
  if (fields.has("success")) success(fields.at("success"), out);
  if (fields.has("content_types")) content_types(fields.at("content_types"), out);
  if (fields.has("token_format"))
    out.token_format = fields.at("token_format").choice({"json", "text"}) == 0 ? TokenFormat::Json : TokenFormat::Text;
  if (out.token_format == TokenFormat::Text) {
    for (const std::string_view name : {"token", "token_type"}) {
      if (fields.has(name)) fields.at(name).complain("has no meaning with \"token_format\": \"text\": the whole answer is the token");
    }
    if (!out.not_false.empty() || !out.absent.empty()) fields.at("success").complain("a text answer has no members to look at");
  } else if (fields.require("token")) {
    out.token_paths = pointers(fields.at("token"));
    if (fields.has("token_type")) token_type(fields.at("token_type"), out);
  }
  if (fields.require("expiry")) {
    for (const lint::Place &item : fields.at("expiry").items(8)) {
      out.expiry.push_back(expiry(item));
      if (out.token_format == TokenFormat::Text && !out.expiry.back().path.empty())
        item.complain("a text answer has no members to look at");
    }
  }
  if (fields.has("error_code")) out.error_code_paths = pointers(fields.at("error_code"));
  if (fields.has("errors")) {
    for (const lint::Place &item : fields.at("errors").items(32)) out.errors.push_back(error_rule(item));
  }
}

Step step(const std::string &name, const lint::Place &place, const Descriptor &descriptor) {
  Step out;
  out.name = name;
  const lint::Fields fields(place, {"class", "method", "origin", "path", "headers", "query", "secret_in_url", "body", "success",
                                    "content_types", "token_format", "token", "token_type", "expiry", "error_code", "errors"});
  if (fields.require("class")) out.step_class = static_cast<StepClass>(fields.at("class").choice({"idempotent", "refresh", "one_shot"}));
  if (fields.require("method")) {
    const std::vector<std::string_view> methods{"POST", "GET", "PUT"};
    out.method = methods[fields.at("method").choice(methods)];
  }
  if (fields.require("origin")) out.origin = reference(fields.at("origin"), "origin", names(descriptor.origins));
  if (fields.require("path")) {
    out.path = fields.at("path").text(1024);
    if (const auto complaint = syntax::check_path(out.path, false)) fields.at("path").complain(*complaint);
  }
  const TemplateRules rules{.descriptor = &descriptor, .basic = true};
  if (fields.has("headers")) out.headers = parse_headers(fields.at("headers"), rules);
  if (fields.has("query")) out.query = parse_members(fields.at("query"), {.descriptor = &descriptor});
  check_secrets_in_url(fields, out, descriptor);
  if (fields.has("body")) {
    body(fields.at("body"), out, descriptor);
    if (out.method == "GET") fields.at("body").complain("a GET has no body; use \"query\" or another method");
  }
  answer(fields, out);
  return out;
}

}  // namespace

void steps(const lint::Place &place, Descriptor &out) {
  for (const auto &[name, member] : place.members(16)) {
    check_name(name, member);
    out.steps.push_back(step(name, member, out));
  }
}

}  // namespace fleetauth::provider::parse
