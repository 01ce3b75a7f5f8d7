#include "core/runtime/options.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "core/base/base64.h"
#include "core/base/json.h"
#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/crypto/fingerprint.h"
#include "core/runtime/option_table.gen.h"

namespace fleetauth::runtime {

namespace {

constexpr std::string_view kBaseUrlSuffix = "_base_url";

ErrorPtr unknown_option(std::string_view what, std::string_view name, const std::vector<std::string_view> &known) {
  std::string message = std::string(what) + " has no option '" + redact::printable(name) + "'";
  if (const auto near = text::nearest(name, known)) message += "; did you mean '" + std::string(*near) + "'?";
  return fail(Status::Config, std::move(message));
}

std::vector<std::string_view> names_of(OptionScope scope) {
  std::vector<std::string_view> names;
  for (const OptionSpec &spec : kOptionTable) {
    if (spec.scope == scope) names.push_back(spec.name);
  }
  return names;
}

std::string quoted_choices(std::span<const std::string_view> choices) {
  std::string text;
  for (const std::string_view choice : choices) {
    if (!text.empty()) text += ", ";
    text += choice;
  }
  return text;
}

/// Reads the options of one scope by name; the first thing that is wrong is kept as the error.
class Reader {
 public:
  Reader(OptionScope scope, const std::vector<provider::GivenValue> &given) : scope_(scope), given_(given) {}

  std::optional<std::string_view> text(std::string_view name) {
    const OptionSpec &spec = *find_option(scope_, name);
    for (const provider::GivenValue &value : given_) {
      if (value.name == name) return value.text.view();
    }
    return spec.default_text;
  }

  std::optional<std::int64_t> integer(std::string_view name) {
    const OptionSpec &spec = *find_option(scope_, name);
    const auto given = text(name);
    if (!given) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(given->data(), given->data() + given->size(), number);
    if (code != std::errc() || end != given->data() + given->size() || number < spec.min || number > spec.max) {
      refuse(name, "must be a whole number from " + std::to_string(spec.min) + " to " + std::to_string(spec.max));
    }
    return number;
  }

  bool boolean(std::string_view name) {
    const std::string_view given = text(name).value_or("false");
    if (given == "true" || given == "1") return true;
    if (given != "false" && given != "0") refuse(name, "must be true or false");
    return false;
  }

  std::string_view choice(std::string_view name) {
    const OptionSpec &spec = *find_option(scope_, name);
    const std::string_view given = text(name).value_or("");
    if (std::find(spec.choices.begin(), spec.choices.end(), given) == spec.choices.end()) {
      refuse(name, "must be one of " + quoted_choices(spec.choices));
    }
    return given;
  }

  void refuse(std::string_view name, const std::string &why) {
    if (error_ == nullptr) error_ = fail(Status::Config, std::string(name) + " " + why);
  }

  [[nodiscard]] const ErrorPtr &error() const { return error_; }

 private:
  OptionScope scope_;
  const std::vector<provider::GivenValue> &given_;
  ErrorPtr error_;
};

const std::vector<provider::GivenValue> &values_of(const Options *options) {
  static const auto *const none = new std::vector<provider::GivenValue>;
  return options == nullptr ? *none : options->values();
}

ErrorPtr refuse_unknown(OptionScope scope, std::string_view what, const Options *options) {
  for (const provider::GivenValue &given : values_of(options)) {
    if (find_option(scope, given.name) == nullptr) return unknown_option(what, given.name, names_of(scope));
  }
  return nullptr;
}

/// `auth_base_url` -> `auth`; nullopt for other names.
std::optional<std::string_view> origin_of(std::string_view option, const provider::Descriptor &descriptor) {
  if (option.size() <= kBaseUrlSuffix.size() || !option.ends_with(kBaseUrlSuffix)) return std::nullopt;
  const std::string_view origin = option.substr(0, option.size() - kBaseUrlSuffix.size());
  if (descriptor.origin(origin) == nullptr) return std::nullopt;
  return origin;
}

/// What a client was given, sorted by who understands it.
struct Sorted {
  std::vector<provider::GivenValue> parameters;
  std::vector<provider::BaseUrl> base_urls;
};

Result<Sorted> sort_given(const provider::Descriptor &descriptor, const Options &options) {
  Sorted sorted;
  for (const provider::GivenValue &given : options.values()) {
    if (descriptor.parameter(given.name) != nullptr) {
      sorted.parameters.push_back({given.name, given.text.clone()});
    } else if (given.name == "base_url") {
      sorted.base_urls.push_back({"", std::string(given.text.view())});
    } else if (const auto origin = origin_of(given.name, descriptor)) {
      sorted.base_urls.push_back({std::string(*origin), std::string(given.text.view())});
    } else if (find_option(OptionScope::Client, given.name) == nullptr) {
      std::vector<std::string_view> known = names_of(OptionScope::Client);
      for (const provider::Parameter &parameter : descriptor.parameters) known.emplace_back(parameter.name);
      return unknown_option(descriptor.name, given.name, known);
    }
  }
  return sorted;
}

/// A parameter must not take the name of an option of the library: nobody could set both.
ErrorPtr check_names(const provider::Descriptor &descriptor) {
  for (const provider::Parameter &parameter : descriptor.parameters) {
    if (find_option(OptionScope::Client, parameter.name) == nullptr && !origin_of(parameter.name, descriptor)) continue;
    return fail(Status::Descriptor, descriptor.name + ": the parameter '" + parameter.name +
                                        "' has the name of an option that every client has; rename it in the descriptor");
  }
  return nullptr;
}

Result<std::vector<net::Url>> check_origins(const provider::Descriptor &descriptor, const net::UrlPolicy &policy) {
  std::vector<net::Url> origins;
  for (const provider::Origin &origin : descriptor.origins) {
    auto url = net::parse_url(origin.base_url, policy);
    if (!url) {
      Error error = *url.error();
      error.message = "the base URL of the origin '" + origin.name + "': " + error.message;
      return fail(std::move(error));
    }
    if (!url->query.empty()) {
      return fail(Status::Url, "the base URL of the origin '" + origin.name + "' must not have a query");
    }
    origins.push_back(std::move(*url));
  }
  return origins;
}

/// `sha256//BASE64;sha256//BASE64`. libcurl would take anything else for the path of a file.
bool are_pins(std::string_view pins) {
  constexpr std::string_view kPrefix = "sha256//";
  constexpr std::size_t kDigest = 32;
  while (!pins.empty()) {
    const std::string_view pin = pins.substr(0, pins.find(';'));
    if (!pin.starts_with(kPrefix)) return false;
    const auto digest = base64::decode(pin.substr(kPrefix.size()));
    if (!digest || digest->size() != kDigest) return false;
    pins.remove_prefix(std::min(pins.size(), pin.size() + 1));
  }
  return true;
}

/// Fills in the digests. Keyed, since secrets go into them.
void digest(Setup &setup) {
  SecretBytes all;
  all.reserve(64 * 1024);
  const auto add = [&all](std::string_view part) {
    all.append(std::to_string(part.size()));
    all.append(":");
    all.append(part);
  };
  add(json::to_text(setup.config.descriptor->source));
  for (const provider::Origin &origin : setup.config.descriptor->origins) add(origin.base_url);
  for (const auto &[name, value] : setup.config.values) {
    add(name);
    add(value.text.view());
  }
  for (const auto &[credential, signer] : setup.config.signers) {
    for (const std::string_view part : {std::string_view(credential), std::string_view(signer.issuer), std::string_view(signer.key_id),
                                        std::string_view(signer.digest)}) {
      add(part);
    }
  }
  setup.login_digest = crypto::keyed_digest(all.view());
  add(setup.host_transport ? "host" : "curl");
  add(setup.host_signer ? "host" : "key");
  add(setup.net->ca_file);
  add(setup.net->ca_pem);
  add(setup.net->pinned_public_key);
  add(setup.net->proxy.url.view());
  add(setup.net->proxy.bypass);
  add(setup.net->user_agent);
  for (const std::int64_t number : {setup.net->connect_timeout_ms, setup.net->attempt_timeout_ms, setup.total_timeout_ms,
                                    setup.margins.refresh_ms.value_or(-1), setup.max_tokens}) {
    add(std::to_string(number));
  }
  setup.digest = crypto::keyed_digest(all.view());
}

}  // namespace

void Options::set(std::string_view name, std::string_view value) {
  for (provider::GivenValue &given : values_) {
    if (given.name == name) {
      given.text = SecretBytes(value);
      return;
    }
  }
  values_.push_back({std::string(name), SecretBytes(value)});
}

Result<RuntimeSettings> read_runtime_options(const Options *options) {
  if (auto error = refuse_unknown(OptionScope::Runtime, "the runtime", options)) return error;
  Reader reader(OptionScope::Runtime, values_of(options));
  RuntimeSettings settings;
  settings.manual = reader.choice("mode") == "manual";
  settings.idle_ms = *reader.integer("idle_ms");
  if (reader.error() != nullptr) return reader.error();
  return settings;
}

Result<RequestSettings> read_request_options(const Options *options) {
  if (auto error = refuse_unknown(OptionScope::Request, "a request", options)) return error;
  Reader reader(OptionScope::Request, values_of(options));
  RequestSettings settings;
  if (const auto api = reader.text("api")) settings.api = std::string(*api);
  if (const auto account = reader.text("account")) settings.account = std::string(*account);
  if (const auto claim_set = reader.text("claim_set")) settings.claim_set = std::string(*claim_set);
  if (const auto claims = reader.text("claims")) settings.claims = std::string(*claims);
  settings.timeout_ms = reader.integer("timeout_ms");
  settings.min_remaining_ms = *reader.integer("min_remaining_ms");
  if (reader.error() != nullptr) return reader.error();
  return settings;
}

Result<std::shared_ptr<const Setup>> read_client_options(const std::shared_ptr<const provider::Descriptor> &descriptor,
                                                         const Options &options) {
  Reader reader(OptionScope::Client, options.values());
  auto setup = std::make_shared<Setup>();
  auto net = std::make_shared<net::NetOptions>();
  net->ca_file = reader.text("ca_file").value_or("");
  net->ca_pem = reader.text("ca_pem").value_or("");
  if (!net->ca_file.empty() && !net->ca_pem.empty()) reader.refuse("ca_pem", "and ca_file exclude each other");
  net->pinned_public_key = reader.text("pinned_public_key").value_or("");
  if (!are_pins(net->pinned_public_key))
    reader.refuse("pinned_public_key", "must be sha256//BASE64 of a public key's SHA-256, several with ; between");
  auto proxy = net::choose_proxy(*reader.text("proxy"));
  if (!proxy) return proxy.error();
  net->proxy = std::move(*proxy);
  net->user_agent = reader.text("user_agent").value_or("");
  net->user_agent += (net->user_agent.empty() ? "" : " ") + ("fleetauth/" + std::string(version()));
  net->connect_timeout_ms = *reader.integer("connect_timeout_ms");
  net->attempt_timeout_ms = *reader.integer("attempt_timeout_ms");
  net->allow_loopback_http = reader.boolean("allow_loopback_http");
  setup->url_policy.allow_loopback_http = net->allow_loopback_http;
  setup->net = net;
  setup->total_timeout_ms = *reader.integer("total_timeout_ms");
  setup->max_tokens = *reader.integer("max_tokens");
  setup->margins.refresh_ms = reader.integer("refresh_margin_ms");
  setup->host_transport = reader.choice("transport") == "host";
  setup->host_signer = reader.choice("signer") == "host";
  if (setup->host_transport && !net->pinned_public_key.empty()) {
    reader.refuse("pinned_public_key", "has no effect with transport=host; pin the key in the host's own transport");
  }
  if (const auto scheme = reader.text("scheme")) setup->scheme = std::string(*scheme);
  const std::optional<std::string_view> patch = reader.text("descriptor_patch");
  if (reader.error() != nullptr) return reader.error();

  if (auto error = check_names(*descriptor)) return error;
  auto sorted = sort_given(*descriptor, options);
  if (!sorted) return sorted.error();
  auto overridden = provider::override_descriptor(descriptor, patch, sorted->base_urls);
  if (!overridden) return overridden.error();
  if (auto error = check_names(**overridden)) return error;  // a patch may have added some
  auto config = provider::configure(*overridden, sorted->parameters, setup->host_signer);
  if (!config) return config.error();
  setup->config = std::move(*config);
  if (setup->host_signer && setup->config.signers.empty()) {
    return fail(Status::Config, (*overridden)->name + ": signer=host is for providers whose tokens are made here, which these are not");
  }
  auto origins = check_origins(**overridden, setup->url_policy);
  if (!origins) return origins.error();
  setup->origins = std::move(*origins);
  if (setup->scheme) {
    if (auto error = provider::check_scheme(setup->config, *setup->scheme)) return error;
  }
  const provider::Life &life = setup->config.descriptor->life;
  if (!setup->margins.refresh_ms) setup->margins.refresh_ms = life.refresh_margin_ms;
  setup->margins.last_ms = life.min_remaining_ms;
  digest(*setup);
  return std::shared_ptr<const Setup>(std::move(setup));
}

}  // namespace fleetauth::runtime
