#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/crypto/signing_key.h"

namespace fleetauth::crypto {

/// What a Google service account signs with. Only the key is a secret.
struct ServiceAccount {
  std::string client_email;
  std::string private_key_id;
  std::string project_id;
  std::shared_ptr<const SigningKey> key;
};

/// Reads the JSON of a service account's key file, at most 64 KiB. Members that are not named above are ignored. `source` names the text
/// in errors, a path for example. E_KEY says what is wrong, with the line where that is known, and quotes no secret; E_CRYPTO when OpenSSL
/// fails. Copies of the text are wiped; the text itself stays the caller's to wipe. Any thread.
[[nodiscard]] Result<ServiceAccount> parse_service_account(std::string_view json, std::string_view source);

}  // namespace fleetauth::crypto
