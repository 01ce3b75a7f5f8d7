#include "core/crypto/random.h"

#include <openssl/rand.h>

#include <climits>
#include <stdexcept>

#include "core/crypto/openssl_memory.h"
#include "core/crypto/openssl_mutex.h"

namespace fleetauth::crypto {

void random_bytes(void *out, std::size_t size) {
  const std::lock_guard lock(openssl_mutex());
  const OpensslWork work;
  if (size > INT_MAX || RAND_bytes(static_cast<unsigned char *>(out), static_cast<int>(size)) != 1) {
    work.expect_memory();
    throw std::runtime_error("OpenSSL's random generator failed");
  }
}

double random_fraction() {
  std::uint64_t bits = 0;
  random_bytes(&bits, sizeof bits);
  return static_cast<double>(bits >> 11) * 0x1p-53;  // a double holds 53 bits exactly
}

}  // namespace fleetauth::crypto
