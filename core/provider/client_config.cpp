#include "core/provider/client_config.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "core/provider/errors.h"
#include "core/provider/lint.h"
#include "core/provider/parameter_text.h"
#include "core/provider/parse.h"
#include "core/provider/render.h"

namespace fleetauth::provider {
namespace {

// What is wrong with the options, gathered so that one look is enough.
class Complaints {
 public:
  explicit Complaints(const Descriptor &descriptor) : descriptor_(descriptor) {}
  void add(std::string_view what) {
    if (!text_.empty()) text_ += "; ";
    text_ += what;
  }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] ErrorPtr error() const { return refusal(descriptor_, Status::Config, text_); }

 private:
  const Descriptor &descriptor_;
  std::string text_;
};

// The parameters without which a scheme cannot be used: secrets, halves of a Basic pair, and what stands beside the token.
std::vector<std::string> needed(const Descriptor &descriptor, const Scheme &scheme) {
  std::vector<std::string> out;
  for (const NamedTemplate &header : scheme.headers) {
    const bool vital =
        header.value.uses(Input::Token) || std::any_of(header.value.parts.begin(), header.value.parts.end(),
                                                       [](const Template::Part &part) { return part.kind == Template::Part::Kind::Basic; });
    for (std::string &name : header.value.parameters()) {
      if (vital || descriptor.parameter(name)->secret) out.push_back(std::move(name));
    }
  }
  return out;
}

std::string described(const Parameter &parameter) {
  std::string out = quoted(parameter.name) + " (" + parameter.doc;
  if (!parameter.env.empty()) out += " Environment variable " + parameter.env + ".";
  return out + ")";
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

void take(const Parameter &parameter, const GivenValue &given, ClientConfig &out, Complaints &complaints) {
  const std::string_view text = given.text.view();
  if (text.empty() && (parameter.required || parameter.type != ParameterType::Text)) {
    complaints.add("option " + described(parameter) + " must not be empty");
    return;
  }
  if (text.empty()) return;  // an optional text that is empty is one that was not given
  const auto value = canonical_value(parameter.type, text);
  if (!value) {
    complaints.add("option " + quoted(parameter.name) + " must be " + std::string(expected_value(parameter.type)));
    return;
  }
  ParameterValue &stored = out.values[parameter.name];
  stored.text = SecretBytes(*value);
  stored.type = parameter.type;
}

void fill_in(const Descriptor &descriptor, ClientConfig &out, Complaints &complaints, const std::vector<GivenValue> &given) {
  for (const Parameter &parameter : descriptor.parameters) {
    const bool was_given = std::any_of(given.begin(), given.end(), [&](const GivenValue &value) { return value.name == parameter.name; });
    if (parameter.required && !was_given) {
      complaints.add("option " + described(parameter) + " is missing");
    } else if (parameter.default_value && out.value(parameter.name) == nullptr) {
      out.values[parameter.name] = {SecretBytes(*parameter.default_value), parameter.type};
    }
  }
}

using Visit = std::function<void(const Template::Part &)>;

// Every part of every header, of steps and of schemes.
void for_each_header_part(const Descriptor &descriptor, const Visit &visit) {
  const auto visit_all = [&](const std::vector<NamedTemplate> &headers) {
    for (const NamedTemplate &header : headers) std::for_each(header.value.parts.begin(), header.value.parts.end(), visit);
  };
  for (const Step &step : descriptor.steps) visit_all(step.headers);
  for (const Scheme &scheme : descriptor.schemes) visit_all(scheme.headers);
}

void check_header_value(const std::string &name, std::string_view value, Complaints &complaints) {
  if (value.empty()) return;
  if (value.back() == '\n' || value.back() == '\r') {
    complaints.add("option " + quoted(name) + " ends with a line break, which a header cannot hold; remove it");
  } else if (std::any_of(value.begin(), value.end(), [](char c) { return c < ' ' || c > '~'; })) {
    complaints.add("option " + quoted(name) + " is sent in a header and may only hold printable ASCII characters");
  } else if (value.front() == ' ' || value.back() == ' ') {
    complaints.add("option " + quoted(name) + " is sent in a header and must not begin or end with a space");
  }
}

// RFC 7617: the pair is cut at its first colon, and neither half holds control characters.
void check_basic(const Template::Part &part, const ClientConfig &config, Complaints &complaints) {
  for (std::size_t i = 0; i < part.operands.size(); ++i) {
    SecretBytes half;
    if (!render(part.operands[i], config, {}, half)) continue;
    const auto used = part.operands[i].parameters();
    const std::string name = used.empty() ? "in the descriptor" : quoted(used.front());
    const std::string_view text = half.view();
    if (i == 0 && text.find(':') != std::string_view::npos) {
      complaints.add("option " + name + " is the user name of Basic authentication, which cannot hold a colon");
    }
    if (std::any_of(text.begin(), text.end(), is_control)) {
      complaints.add("option " + name + " must not hold control characters or line breaks");
    }
  }
}

// What could not be sent is refused here and not at the first request.
void check_sendable(const ClientConfig &config, Complaints &complaints) {
  std::vector<std::string> seen;
  std::vector<std::string> pairs_seen;
  for_each_header_part(*config.descriptor, [&](const Template::Part &part) {
    if (part.kind == Template::Part::Kind::Parameter) {
      const ParameterValue *value = config.value(part.text);
      if (value == nullptr || std::find(seen.begin(), seen.end(), part.text) != seen.end()) return;
      seen.push_back(part.text);
      check_header_value(part.text, value->text.view(), complaints);
    } else if (part.kind == Template::Part::Kind::Basic && !part.form_encoded) {
      // Several schemes may send the same pair; it is complained of once.
      std::string key;
      for (const Template &operand : part.operands) {
        for (const std::string &name : operand.parameters()) key += name + " ";
      }
      if (std::find(pairs_seen.begin(), pairs_seen.end(), key) != pairs_seen.end()) return;
      pairs_seen.push_back(std::move(key));
      check_basic(part, config, complaints);
    }
  });
}

// What has to be given for one scheme at least: "api_key, or email and password".
std::string alternatives(const Descriptor &descriptor, bool host_signs) {
  std::vector<std::string> ways;
  const auto add = [&ways](const std::vector<std::string> &names) {
    std::string way;
    for (std::size_t i = 0; i < names.size(); ++i) way += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + quoted(names[i]);
    if (!way.empty() && std::find(ways.begin(), ways.end(), way) == ways.end()) ways.push_back(std::move(way));
  };
  for (const Credential &credential : descriptor.credentials) {
    for (const std::string &step : credential.steps) add(descriptor.step(step)->needs);
    if (credential.refresh && !credential.refresh->initial_parameter.empty()) add({credential.refresh->initial_parameter});
    if (credential.kind != FlowKind::SignedJwt) continue;
    const KeyRule &key = credential.jwt.key;
    for (const std::string &name : host_signs ? std::vector{key.issuer} : std::vector{key.service_account, key.file}) {
      if (!name.empty()) add({name});
    }
  }
  for (const Scheme &scheme : descriptor.schemes) {
    if (!has_token(descriptor.credential(scheme.credential)->kind)) add(needed(descriptor, scheme));
  }
  std::string out;
  for (const std::string &way : ways) out += (out.empty() ? "" : "; or ") + way;
  return out;
}

bool can_begin(const ClientConfig &config, const Credential &credential) {
  if (!has_token(credential.kind)) return true;
  if (credential.kind == FlowKind::SignedJwt) return config.signers.contains(credential.name);
  if (credential.refresh && config.value(credential.refresh->initial_parameter) != nullptr) return true;
  return std::any_of(credential.steps.begin(), credential.steps.end(),
                     [&](const std::string &name) { return config.possible(*config.descriptor->step(name)); });
}

/// The keys; their texts are then wiped.
ErrorPtr read_signers(ClientConfig &config, bool host_signs) {
  for (const Credential &credential : config.descriptor->credentials) {
    if (credential.kind != FlowKind::SignedJwt) continue;
    const KeyRule &rule = credential.jwt.key;
    const GivenKey given{config.value(rule.service_account), config.value(rule.file), config.value(rule.issuer), config.value(rule.key_id)};
    auto signer = read_signer(rule, given, host_signs);
    if (!signer) return of_provider(*config.descriptor, *signer.error());
    if (*signer) config.signers.emplace(credential.name, std::move(**signer));
  }
  for (const Credential &credential : config.descriptor->credentials) config.values.erase(credential.jwt.key.service_account);
  return nullptr;
}

void check_lifetimes(const ClientConfig &config, Complaints &complaints) {
  constexpr std::int64_t kShortest = 60;
  for (const Credential &credential : config.descriptor->credentials) {
    const ParameterValue *given = config.value(credential.jwt.lifetime_parameter);
    if (given == nullptr) continue;
    const std::int64_t seconds = given->integer();
    if (seconds >= kShortest && seconds <= credential.jwt.lifetime_s) continue;
    complaints.add("option " + quoted(credential.jwt.lifetime_parameter) + " must be from " + std::to_string(kShortest) + " to " +
                   std::to_string(credential.jwt.lifetime_s) + " seconds");
  }
}

void find_usable_schemes(ClientConfig &config) {
  for (const Scheme &scheme : config.descriptor->schemes) {
    const auto names = needed(*config.descriptor, scheme);
    config.usable_schemes.push_back(
        can_begin(config, *config.descriptor->credential(scheme.credential)) &&
        std::all_of(names.begin(), names.end(), [&](const std::string &name) { return config.value(name) != nullptr; }));
  }
}

void check_origins(const Descriptor &descriptor, Complaints &complaints) {
  for (const Origin &origin : descriptor.origins) {
    if (!origin.base_url.empty()) continue;
    const std::string option = descriptor.origins.size() == 1 ? "base_url" : origin.name + "_base_url";
    complaints.add("option " + quoted(option) + " (" + origin.doc + ") is missing");
  }
}

}  // namespace

bool ClientConfig::possible(const Step &step) const {
  return std::all_of(step.needs.begin(), step.needs.end(), [this](const std::string &name) { return value(name) != nullptr; });
}

Result<Subject> ClientConfig::usual_subject(const Credential &credential) const {
  Subject subject;
  if (const ParameterValue *account = value(credential.account_parameter)) subject.account = account->text.view();
  const ParameterValue *set = value(credential.claim_set_parameter);
  if (set == nullptr) return subject;
  auto claims = read_claims(descriptor->claims, set->text.view(), {});
  if (!claims) return of_provider(*descriptor, *claims.error());
  subject.claims = std::move(*claims);
  return subject;
}

std::int64_t ParameterValue::integer() const {
  std::int64_t number = 0;
  std::from_chars(text.c_str(), text.c_str() + text.size(), number);
  return number;
}

const ParameterValue *ClientConfig::value(std::string_view parameter) const {
  const auto found = values.find(parameter);
  return found == values.end() ? nullptr : &found->second;
}

Result<ClientConfig> configure(std::shared_ptr<const Descriptor> descriptor, const std::vector<GivenValue> &given, bool host_signs) {
  Complaints complaints(*descriptor);
  ClientConfig out;
  out.descriptor = std::move(descriptor);

  std::vector<std::string_view> seen;
  for (const GivenValue &value : given) {
    const Parameter *parameter = out.descriptor->parameter(value.name);
    if (parameter == nullptr) {
      complaints.add("unknown option " + lint::quoted_with_hint(value.name, parse::names(out.descriptor->parameters)));
    } else if (std::find(seen.begin(), seen.end(), value.name) != seen.end()) {
      complaints.add("option " + quoted(value.name) + " is given twice");
    } else {
      seen.push_back(value.name);
      take(*parameter, value, out, complaints);
    }
  }
  fill_in(*out.descriptor, out, complaints, given);
  check_origins(*out.descriptor, complaints);
  if (complaints.empty()) check_sendable(out, complaints);
  if (complaints.empty()) check_lifetimes(out, complaints);
  if (complaints.empty()) {
    if (auto error = read_signers(out, host_signs)) return error;
    for (const Credential &credential : out.descriptor->credentials) {
      if (auto subject = out.usual_subject(credential); !subject) return subject.error();
    }
  }
  find_usable_schemes(out);
  if (complaints.empty() && std::find(out.usable_schemes.begin(), out.usable_schemes.end(), true) == out.usable_schemes.end()) {
    complaints.add("give " + alternatives(*out.descriptor, host_signs));
  }
  if (!complaints.empty()) return complaints.error();
  return out;
}

}  // namespace fleetauth::provider
