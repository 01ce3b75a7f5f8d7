#pragma once

#include <string_view>

#include "core/base/secret_bytes.h"
#include "core/provider/client_config.h"

/// How the values of a request are written. Everything goes straight into wiped bytes of sufficient size.
namespace fleetauth::flow {

/// name=value pairs joined by '&', all but RFC 3986's unreserved characters as %XX: fit for a query and for a form.
[[nodiscard]] SecretBytes encode_pairs(const provider::ClientConfig &config, const std::vector<provider::NamedTemplate> &members);

/// A JSON body: {"$param": name} becomes the parameter's value in its own type; what has no value vanishes.
[[nodiscard]] SecretBytes encode_json(const provider::ClientConfig &config, const json::Value &body);

}  // namespace fleetauth::flow
