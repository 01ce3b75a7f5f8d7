#pragma once

#include <memory>
#include <string_view>

#include "core/flow/challenge.h"
#include "core/provider/client_config.h"

namespace fleetauth::flow {

/// A challenge that can be kept: encrypted under a key of 32 bytes and bound to the provider, its base URLs and the client's parameters,
/// secrets aside, so that no other login can be completed with it. E_KEY, E_CRYPTO.
Result<SecretBytes> seal_challenge(const provider::ClientConfig &config, const Challenge &challenge, std::string_view key);

/// E_KEY for the wrong key, E_CRYPTO for what is damaged or of another client.
Result<std::shared_ptr<const Challenge>> open_challenge(const provider::ClientConfig &config, std::string_view sealed,
                                                        std::string_view key);

}  // namespace fleetauth::flow
