#pragma once

#include <cstdint>

namespace fleetauth::crypto {

/// Has OpenSSL, whose copy is the library's own, keep keys and what it computes with out of core files. False when something has used this
/// copy before: then it goes on with the memory it had. Later calls answer what the first one found.
bool hide_openssl_memory();

/// How many allocations of OpenSSL failed so far.
[[nodiscard]] std::uint64_t openssl_failed_allocations();

/// What was asked of OpenSSL since this was made. When an allocation fails, it reports any of its errors, or none.
class OpensslWork {
 public:
  /// Throws std::bad_alloc if an allocation has failed meanwhile, whoever asked for it.
  void expect_memory() const;

 private:
  std::uint64_t failed_before_ = openssl_failed_allocations();
};

}  // namespace fleetauth::crypto
