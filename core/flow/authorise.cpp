#include "core/flow/authorise.h"

#include "core/flow/request_builder.h"
#include "core/provider/errors.h"
#include "core/provider/render.h"

namespace fleetauth::flow {
namespace {

using provider::ClientConfig;
using provider::Scheme;
using Part = provider::Template::Part;

bool is_secret(const ClientConfig &config, const Part &part) {
  if (part.kind == Part::Kind::Basic) return true;
  if (part.kind != Part::Kind::Parameter || config.value(part.text) == nullptr) return false;
  return config.descriptor->parameter(part.text)->secret;
}

}  // namespace

Result<std::vector<Header>> authorise(const ClientConfig &config, const Scheme &scheme, std::string_view access_token) {
  return render_headers(config, scheme.headers, {.token = access_token}, "scheme \"" + scheme.name + "\"");
}

Result<SecretBytes> local_secret(const ClientConfig &config, const Scheme &scheme) {
  for (const provider::NamedTemplate &header : scheme.headers) {
    for (const Part &part : header.value.parts) {
      if (!is_secret(config, part)) continue;
      SecretBytes out;
      (void)provider::render({{part}}, config, {}, out);
      return out;
    }
  }
  return provider::refusal(*config.descriptor, Status::Config,
                           "scheme \"" + scheme.name + "\" has no secret of its own; it needs a token from the provider");
}

}  // namespace fleetauth::flow
