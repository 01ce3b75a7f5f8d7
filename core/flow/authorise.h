#pragma once

#include <string_view>
#include <vector>

#include "core/flow/http.h"
#include "core/provider/client_config.h"

namespace fleetauth::flow {

/// The headers of a scheme for one request, from the token ("" for schemes without one). E_CONFIG when a value cannot be a header.
Result<std::vector<Header>> authorise(const provider::ClientConfig &config, const provider::Scheme &scheme, std::string_view access_token);

/// The secret of a scheme without a token: the base64 pair of Basic, or the key of a static header.
Result<SecretBytes> local_secret(const provider::ClientConfig &config, const provider::Scheme &scheme);

}  // namespace fleetauth::flow
