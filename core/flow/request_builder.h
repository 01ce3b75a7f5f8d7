#pragma once

#include "core/flow/http.h"
#include "core/provider/client_config.h"

namespace fleetauth::flow {

/// The request of a step. E_CONFIG when a value cannot be put into a header or the path.
Result<HttpRequest> build_request(const provider::ClientConfig &config, const provider::Step &step, const provider::Inputs &inputs);

/// Renders header templates; those that use a parameter which was not given are left out. `what` names their place in messages.
Result<std::vector<Header>> render_headers(const provider::ClientConfig &config, const std::vector<provider::NamedTemplate> &templates,
                                           const provider::Inputs &inputs, const std::string &what);

}  // namespace fleetauth::flow
