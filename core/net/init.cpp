#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/base/os/memory.h"
#include "core/crypto/init.h"
#include "core/net/curl_memory.h"
#include "core/net/driver.h"
#include "core/net/failure.h"

namespace fleetauth::net {
namespace {

std::atomic<std::uint64_t> failed_allocations{0};

// libcurl does not clear what it frees; these do, so that neither headers nor bodies stay on the heap.

void *counted(void *block) noexcept {
  if (block == nullptr) failed_allocations.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void *allocate(std::size_t size) { return counted(std::malloc(size)); }

void *allocate_zeroed(std::size_t count, std::size_t size) { return counted(std::calloc(count, size)); }

void wipe_and_free(void *block) {
  os::wipe_block(block);
  std::free(block);
}

void *reallocate(void *block, std::size_t size) {
  void *grown = allocate(size);
  if (grown == nullptr || block == nullptr) return grown;
  std::memcpy(grown, block, std::min(size, os::block_size(block)));
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
