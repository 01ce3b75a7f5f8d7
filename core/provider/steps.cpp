#include <algorithm>

#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/provider/parse.h"
#include "core/provider/syntax.h"

namespace fleetauth::provider::parse {
namespace {

constexpr std::int64_t kYear = 366LL * 24 * 3600;

const std::vector<Input> kAllInputs{Input::Token, Input::RefreshToken, Input::Code, Input::Account, Input::Echo, Input::Claim};

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

void body(const lint::Place &place, Step &out, const TemplateRules &rules) {
  const lint::Fields fields(place, {"json", "form"});
  if (place.value().members.size() != 1) place.complain("must have exactly one member: \"json\" or \"form\"");
  if (fields.has("json")) {
    out.body_kind = BodyKind::Json;
    const lint::Place tree = fields.at("json");
    if (tree.value().type != json::Type::Object && tree.value().type != json::Type::Array) tree.complain("must be an object or an array");
    check_json_body(tree, rules);
    out.json_body = tree.value();
  } else if (fields.has("form")) {
    out.body_kind = BodyKind::Form;
    out.form_body = parse_members(fields.at("form"), rules);
  }
}

bool holds_secret(const Template &value, const Descriptor &descriptor) {
  const auto used = value.parameters();
  const bool parameter = std::any_of(used.begin(), used.end(), [&](const std::string &name) {
    const Parameter *found = descriptor.parameter(name);
    return found != nullptr && found->secret;
  });
  return parameter ||
         std::any_of(kAllInputs.begin(), kAllInputs.end(), [&](Input input) { return word_of(input).secret && value.uses(input); });
}

// A secret in a URL ends up in the logs of whatever is on the way: it must be an explicit decision of the descriptor.
void check_secrets_in_url(const lint::Fields &fields, const Step &out, const Descriptor &descriptor) {
  std::vector<std::string> declared;
  std::vector<std::string_view> query_names = names(out.query);
  if (fields.has("secret_in_url")) declared = references(fields.at("secret_in_url"), "query member", query_names, 32);
  for (const NamedTemplate &member : out.query) {
    const bool secret = holds_secret(member.value, descriptor);
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

std::vector<NamedPointers> named_pointers(const lint::Place &place) {
  std::vector<NamedPointers> out;
  for (const auto &[name, member] : place.members(16)) {
    check_name(name, member);
    out.push_back({name, member.value().type == json::Type::Array ? pointers(member) : std::vector<std::string>{pointer(member)}});
  }
  return out;
}

ChallengeRule challenge(const lint::Place &place) {
  constexpr std::int64_t kUsualLifetime = 300;
  ChallengeRule out;
  const lint::Fields fields(place, {"step", "echo", "lifetime_s"});
  if (fields.require("step")) out.step = fields.at("step").text();  // it may come later: credentials() looks it up
  if (fields.has("echo")) out.echo = named_pointers(fields.at("echo"));
  out.lifetime_ms = (fields.has("lifetime_s") ? fields.at("lifetime_s").integer(1, 24LL * 3600) : kUsualLifetime) * 1000;
  return out;
}

AccountsRule accounts(const lint::Place &place) {
  AccountsRule out;
  const lint::Fields fields(place, {"items", "id", "name"});
  if (fields.require("items")) out.items = pointer(fields.at("items"));
  if (fields.require("id")) out.id = pointers(fields.at("id"));
  if (fields.has("name")) out.name = pointers(fields.at("name"));
  return out;
}

void token_answer(const lint::Fields &fields, Step &out) {
  if (fields.has("token_format"))
    out.token_format = fields.at("token_format").choice({"json", "text"}) == 0 ? TokenFormat::Json : TokenFormat::Text;
  if (out.token_format == TokenFormat::Text) {
    for (const std::string_view name : {"token", "token_type", "refresh_token", "challenge"}) {
      if (fields.has(name)) fields.at(name).complain("has no meaning with \"token_format\": \"text\": the whole answer is the token");
    }
    if (!out.not_false.empty() || !out.absent.empty()) fields.at("success").complain("a text answer has no members to look at");
  } else {
    if (fields.require("token")) out.token_paths = pointers(fields.at("token"));
    if (fields.has("token_type")) token_type(fields.at("token_type"), out);
    if (fields.has("refresh_token")) out.refresh_token_paths = pointers(fields.at("refresh_token"));
    if (fields.has("challenge")) out.challenge = challenge(fields.at("challenge"));
  }
  if (fields.require("expiry")) {
    for (const lint::Place &item : fields.at("expiry").items(8)) {
      out.expiry.push_back(expiry(item));
      if (out.token_format == TokenFormat::Text && !out.expiry.back().path.empty())
        item.complain("a text answer has no members to look at");
    }
  }
}

/// An answer gives one thing: a token, who the caller is, his accounts, or nothing.
void answer(const lint::Fields &fields, Step &out) {
  if (fields.has("success")) success(fields.at("success"), out);
  if (fields.has("content_types")) content_types(fields.at("content_types"), out);
  const std::vector<std::string_view> of_tokens{"token", "token_format", "token_type", "expiry", "refresh_token", "challenge"};
  const bool token = std::any_of(of_tokens.begin(), of_tokens.end(), [&](std::string_view name) { return fields.has(name); });
  if (token) {
    out.yield = Yield::Token;
    token_answer(fields, out);
  } else if (fields.has("identity")) {
    out.yield = Yield::Identity;
    out.identity = named_pointers(fields.at("identity"));
  } else if (fields.has("accounts")) {
    out.yield = Yield::Accounts;
    out.accounts = accounts(fields.at("accounts"));
  } else {
    out.yield = Yield::Nothing;
  }
  for (const std::string_view name : {"identity", "accounts"}) {
    if (fields.has(name) && (token || (name == "accounts" && fields.has("identity"))))
      fields.at(name).complain("an answer gives one thing: a token, an identity or accounts");
  }
  if (fields.has("error_code")) out.error_code_paths = pointers(fields.at("error_code"));
  if (fields.has("errors")) {
    for (const lint::Place &item : fields.at("errors").items(32)) {
      out.errors.push_back(error_rule(item));
      if (out.errors.back().status == Status::OtpRequired && !out.challenge)
        item.complain("\"otp_required\" needs a \"challenge\", which says how the code is sent");
    }
  }
}

Rate rate(const lint::Place &place) {
  constexpr std::int64_t kLongestIntervalS = 3600;
  constexpr std::int64_t kLargestBurst = 1000;
  Rate out;
  const lint::Fields fields(place, {"interval_s", "burst"});
  if (fields.require("interval_s")) out.interval_ms = fields.at("interval_s").integer(1, kLongestIntervalS) * 1000;
  if (fields.has("burst")) out.burst = fields.at("burst").integer(1, kLargestBurst);
  return out;
}

Template path(const lint::Place &place, TemplateRules rules) {
  rules.path = true;
  Template out = parse_template(place, rules);
  std::string example;
  for (const Template::Part &part : out.parts) {
    const bool value = part.kind != Template::Part::Kind::Literal;
    example += value ? "x" : part.text;
    if (value && holds_secret({{part}}, *rules.descriptor)) place.complain("a secret must not stand in a path");
  }
  if (const auto complaint = syntax::check_path(example, false)) place.complain(*complaint);
  return out;
}

Step step(const std::string &name, const lint::Place &place, const Descriptor &descriptor) {
  Step out;
  out.name = name;
  const lint::Fields fields(place,
                            {"needs",         "class",     "rate",     "method",        "origin",       "path",  "headers",    "query",
                             "secret_in_url", "body",      "success",  "content_types", "token_format", "token", "token_type", "expiry",
                             "refresh_token", "challenge", "identity", "accounts",      "error_code",   "errors"});
  if (fields.has("needs")) out.needs = references(fields.at("needs"), "parameter", names(descriptor.parameters), 16);
  if (fields.require("class")) out.step_class = static_cast<StepClass>(fields.at("class").choice({"idempotent", "refresh", "one_shot"}));
  if (fields.require("method")) {
    const std::vector<std::string_view> methods{"POST", "GET", "PUT"};
    out.method = methods[fields.at("method").choice(methods)];
  }
  if (fields.require("origin")) out.origin = reference(fields.at("origin"), "origin", names(descriptor.origins));
  const TemplateRules rules{.descriptor = &descriptor, .needs = &out.needs, .inputs = kAllInputs};
  if (fields.require("path")) out.path = path(fields.at("path"), rules);
  if (fields.has("headers")) {
    TemplateRules header_rules = rules;
    header_rules.basic = true;
    out.headers = parse_headers(fields.at("headers"), header_rules);
  }
  if (fields.has("query")) out.query = parse_members(fields.at("query"), rules);
  check_secrets_in_url(fields, out, descriptor);
  if (fields.has("body")) {
    body(fields.at("body"), out, rules);
    if (out.method == "GET") fields.at("body").complain("a GET has no body; use \"query\" or another method");
  }
  if (fields.has("rate")) {
    out.rate = rate(fields.at("rate"));
    if (out.uses(Input::Code)) fields.at("rate").complain("a one-time code cannot wait; pace the step that asks for it");
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
