#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>

#include "core/base/os/hidden_memory.h"
#include "core/base/os/memory.h"
#include "core/crypto/init.h"
#include "core/net/curl_memory.h"
#include "core/net/driver.h"
#include "core/net/failure.h"

namespace fleetauth::net {
namespace {

std::atomic<std::uint64_t> failed_allocations{0};

// libcurl does not clear what it frees; these do, so that neither headers nor bodies stay on the heap, and what it holds on to, such as a
// proxy's password, is in no core file.

void *allocate(std::size_t size) {
  void *block = os::allocate_hidden(size);
  if (block == nullptr) failed_allocations.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void *allocate_zeroed(std::size_t count, std::size_t size) {
  if (size != 0 && count > SIZE_MAX / size) return nullptr;
  void *block = allocate(count * size);
  if (block != nullptr) std::memset(block, 0, count * size);
  return block;
}

void wipe_and_free(void *block) {
  if (block == nullptr) return;
  os::wipe(block, os::hidden_size(block));
  os::free_hidden(block);
}

void *reallocate(void *block, std::size_t size) {
  void *grown = allocate(size);
  if (grown == nullptr || block == nullptr) return grown;
  std::memcpy(grown, block, std::min(size, os::hidden_size(block)));
  wipe_and_free(block);
  return grown;
}

char *duplicate(const char *text) {
  const std::size_t size = std::strlen(text) + 1;
  void *copy = allocate(size);
  if (copy != nullptr) std::memcpy(copy, text, size);
  return static_cast<char *>(copy);
}

ErrorPtr prepare() {
  if (ErrorPtr error = crypto::initialise()) return error;
  (void)out_of_memory();
  const CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, allocate, wipe_and_free, reallocate, duplicate, allocate_zeroed);
  if (code != CURLE_OK) return fail(Status::Internal, std::string("libcurl does not start: ") + curl_easy_strerror(code));
  return nullptr;
}

}  // namespace

std::uint64_t curl_failed_allocations() { return failed_allocations.load(std::memory_order_relaxed); }

ErrorPtr initialise() {
  // Never destroyed: threads of a process that exits may still ask.
  static const ErrorPtr &outcome = *new ErrorPtr(prepare());
  return outcome;
}

}  // namespace fleetauth::net
