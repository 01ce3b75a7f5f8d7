#pragma once

#include <openssl/err.h>

namespace fleetauth::crypto {

/// Drops what OpenSSL notes in this thread's error queue meanwhile: a later call must not find the errors of a refused key.
class ErrorMark {
 public:
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark &) = delete;
  ErrorMark &operator=(const ErrorMark &) = delete;
};

}  // namespace fleetauth::crypto
