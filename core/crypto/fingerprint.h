#pragma once

#include <string>
#include <string_view>

namespace fleetauth::crypto {

/// Names a secret in logs and texts: "tok:" and 8 hexadecimal digits. Equal secrets have equal names within one process and
/// its forks; nobody else can guess from the name.
[[nodiscard]] std::string fingerprint(std::string_view secret);

/// 32 bytes under the same per-process key, for tables that find things by what identifies them.
[[nodiscard]] std::string keyed_digest(std::string_view bytes);

}  // namespace fleetauth::crypto
