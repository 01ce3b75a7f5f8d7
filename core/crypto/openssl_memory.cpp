#include "core/crypto/openssl_memory.h"

#include <openssl/crypto.h>

#include "core/base/os/hidden_memory.h"

namespace fleetauth::crypto {
namespace {

void *allocate(std::size_t size, const char * /*file*/, int /*line*/) { return os::allocate_hidden(size); }
void *reallocate(void *block, std::size_t size, const char * /*file*/, int /*line*/) { return os::reallocate_hidden(block, size); }
void release(void *block, const char * /*file*/, int /*line*/) { os::free_hidden(block); }

}  // namespace

void hide_openssl_memory() {
  static const int done = CRYPTO_set_mem_functions(allocate, reallocate, release);
  (void)done;
}

}  // namespace fleetauth::crypto
