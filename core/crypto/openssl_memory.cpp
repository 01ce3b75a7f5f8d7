#include "core/crypto/openssl_memory.h"

#include <openssl/crypto.h>

#include <atomic>
#include <new>

#include "core/base/os/hidden_memory.h"

namespace fleetauth::crypto {
namespace {

std::atomic<std::uint64_t> failed_allocations{0};

void *counted(void *block) {
  if (block == nullptr) failed_allocations.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void *allocate(std::size_t size, const char * /*file*/, int /*line*/) { return counted(os::allocate_hidden(size)); }
void *reallocate(void *block, std::size_t size, const char * /*file*/, int /*line*/) { return counted(os::reallocate_hidden(block, size)); }
void release(void *block, const char * /*file*/, int /*line*/) { os::free_hidden(block); }

}  // namespace

bool hide_openssl_memory() {
  static const bool done = CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
  return done;
}

std::uint64_t openssl_failed_allocations() { return failed_allocations.load(std::memory_order_relaxed); }

void OpensslWork::expect_memory() const {
  if (openssl_failed_allocations() != failed_before_) throw std::bad_alloc();
}

}  // namespace fleetauth::crypto
