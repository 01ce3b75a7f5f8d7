#include "core/flow/request_builder.h"

#include <algorithm>

#include "core/base/redact.h"
#include "core/base/text.h"
#include "core/flow/answer.h"
#include "core/flow/encode.h"
#include "core/flow/messages.h"
#include "core/provider/errors.h"
#include "core/provider/render.h"

namespace fleetauth::flow {
namespace {

using provider::BodyKind;
using provider::ClientConfig;
using provider::Inputs;
using provider::Step;

CallClass call_class(provider::StepClass step_class) {
  switch (step_class) {
    case provider::StepClass::Idempotent:
      return CallClass::Idempotent;
    case provider::StepClass::Refresh:
      return CallClass::Refresh;
    case provider::StepClass::OneShot:
      break;
  }
  return CallClass::OneShot;
}

Result<SecretBytes> url_of(const ClientConfig &config, const Step &step, const Inputs &inputs) {
  const SecretBytes query = encode_pairs(config, step.query, inputs);
  const std::string &base = config.descriptor->origin(step.origin)->base_url;
  SecretBytes path;
  if (!encode_path(config, step.path, inputs, path)) {
    return fail(step_error(config, step, Status::Config, "needs a value for its path that was not given, or is empty or only dots"));
  }
  SecretBytes url;
  url.reserve(base.size() + path.size() + 1 + query.size());
  url.append(base);
  url.append(path.view());
  if (!query.empty()) {
    url.append("?");
    url.append(query.view());
  }
  return url;
}

bool has_header(const std::vector<Header> &headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const Header &header) { return text::equal_ignore_case(header.name, name); });
}

void add_content_headers(const Step &step, HttpRequest &out) {
  if (step.body_kind == BodyKind::Json) out.headers.push_back({"Content-Type", SecretBytes("application/json")});
  if (step.body_kind == BodyKind::Form) out.headers.push_back({"Content-Type", SecretBytes("application/x-www-form-urlencoded")});
  if (has_header(out.headers, "Accept")) return;
  if (step.yield == provider::Yield::Nothing) return;
  const bool json = step.token_format == provider::TokenFormat::Json;
  out.headers.push_back({"Accept", SecretBytes(json ? "application/json" : "text/plain")});
}

}  // namespace

Result<std::vector<Header>> render_headers(const ClientConfig &config, const std::vector<provider::NamedTemplate> &templates,
                                           const Inputs &inputs, const std::string &what) {
  std::vector<Header> out;
  for (const provider::NamedTemplate &named : templates) {
    Header header;
    header.name = named.name;
    if (!provider::render(named.value, config, inputs, header.value)) continue;
    if (!redact::is_header_value(header.value.view())) {
      return provider::refusal(*config.descriptor, Status::Config,
                               what + " cannot send the header " + named.name +
                                   ", because its value holds a control or non-ASCII character or a space at an end");
    }
    out.push_back(std::move(header));
  }
  return out;
}

Result<HttpRequest> build_request(const ClientConfig &config, const Step &step, const Inputs &inputs) {
  auto headers = render_headers(config, step.headers, inputs, "step \"" + step.name + "\"");
  if (!headers) return headers.error();
  auto url = url_of(config, step, inputs);
  if (!url) return url.error();
  HttpRequest out;
  out.method = step.method;
  out.url = std::move(*url);
  out.headers = std::move(*headers);
  add_content_headers(step, out);
  if (step.body_kind == BodyKind::Json) out.body = encode_json(config, step.json_body, inputs);
  if (step.body_kind == BodyKind::Form) out.body = encode_pairs(config, step.form_body, inputs);
  out.call_class = call_class(step.step_class);
  out.max_body = max_body(step);
  out.step = step.name;
  out.origin = config.descriptor->origin(step.origin)->authority();
  return out;
}

}  // namespace fleetauth::flow
