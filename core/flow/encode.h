#pragma once

#include <string_view>

#include "core/base/secret_bytes.h"
#include "core/provider/client_config.h"

/// How the values of a request are written. Everything goes straight into wiped bytes of sufficient size.
namespace fleetauth::flow {

/// name=value pairs joined by '&', all but RFC 3986's unreserved characters as %XX: fit for a query and for a form.
[[nodiscard]] SecretBytes encode_pairs(const provider::ClientConfig &config, const std::vector<provider::NamedTemplate> &members,
                                       const provider::Inputs &inputs);

/// A path: values as %XX but for RFC 3986's unreserved characters, so that none can be more than a part of its segment
/// unless the path says so. False when a value is missing or would make a segment "." or "..".
[[nodiscard]] bool encode_path(const provider::ClientConfig &config, const provider::Template &path, const provider::Inputs &inputs,
                               SecretBytes &out);

/// A JSON body: {"$param": name} and its like become the value in its own type; what has no value vanishes.
[[nodiscard]] SecretBytes encode_json(const provider::ClientConfig &config, const json::Value &body, const provider::Inputs &inputs);

}  // namespace fleetauth::flow
