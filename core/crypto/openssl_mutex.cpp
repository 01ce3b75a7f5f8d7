#include "core/crypto/openssl_mutex.h"

#include "core/crypto/openssl_memory.h"

namespace fleetauth::crypto {

std::mutex &openssl_mutex() {
  (void)hide_openssl_memory();          // whoever comes to OpenSSL comes by here; initialise() says if it failed
  static auto *mutex = new std::mutex;  // never destroyed: forks may come after main
  return *mutex;
}

}  // namespace fleetauth::crypto
