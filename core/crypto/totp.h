#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "core/base/secret_bytes.h"

namespace fleetauth::crypto {

/// What an authenticator app holds for one account (RFC 6238). Immutable, move-only; any thread may read.
class TotpSecret {
 public:
  enum class Algorithm { Sha1, Sha256, Sha512 };

  /// Reads a secret in base32 (any case; spaces, line breaks, hyphens and padding do not matter), which means SHA1, 6 digits and 30
  /// seconds, or a URI otpauth://totp/... with `secret` and, if need be, `algorithm` (SHA1, SHA256, SHA512), `digits` (6 to 8) and
  /// `period` (15 to 120 seconds); its other parameters are ignored. The secret must have 10 bytes or more. E_CONFIG says what is wrong
  /// and quotes nothing. The text stays the caller's to wipe.
  static Result<TotpSecret> parse(std::string_view text);

  /// The code at a time in milliseconds since 1970, with its leading zeros. Times before 1970 are taken for 1970.
  [[nodiscard]] SecretBytes code(std::int64_t unix_ms) const;

  /// The number of the period that holds the time: a provider takes one code a period, so one that was used must not be sent again.
  [[nodiscard]] std::int64_t step(std::int64_t unix_ms) const;
  /// In seconds.
  [[nodiscard]] int period() const { return period_; }
  [[nodiscard]] int digits() const { return digits_; }
  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }

 private:
  friend class TotpReader;
  TotpSecret() = default;

  SecretBytes secret_;
  Algorithm algorithm_ = Algorithm::Sha1;
  int digits_ = 6;
  int period_ = 30;
};

}  // namespace fleetauth::crypto
