#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/crypto/signing_key.h"
#include "core/provider/descriptor.h"

namespace fleetauth::provider {

struct ParameterValue;

/// Who signs the tokens of a credential, and under which name.
struct Signer {
  std::shared_ptr<const crypto::SigningKey> key;  ///< null: the host has it
  std::string issuer;
  std::string key_id;  ///< empty = the token names no key
  std::string digest;  ///< of the key's text; keyed
};

/// The parameters of a key rule that were given; null for those that were not.
struct GivenKey {
  const ParameterValue *service_account = nullptr;
  const ParameterValue *file = nullptr;
  const ParameterValue *issuer = nullptr;
  const ParameterValue *key_id = nullptr;
};

/// Reads the key, or takes the host's for it. Null when nothing was given. E_CONFIG when what was given does not go together, E_KEY when
/// the key is not one.
Result<std::optional<Signer>> read_signer(const KeyRule &rule, const GivenKey &given, bool host_signs);

}  // namespace fleetauth::provider
