#include "core/base/os/hidden_memory.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

namespace fleetauth::os {

#ifdef __SANITIZE_ADDRESS__
#define FLEETAUTH_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLEETAUTH_ADDRESS_SANITIZER
#endif
#endif

#ifdef FLEETAUTH_ADDRESS_SANITIZER

// The sanitizer watches its own heap only, and writes no core files.
void *allocate_hidden(std::size_t size) noexcept { return std::malloc(size); }
void *reallocate_hidden(void *block, std::size_t size) noexcept { return std::realloc(block, size); }
void free_hidden(void *block) noexcept { std::free(block); }
void install_hidden_fork_handlers() noexcept {}

#else

namespace {

constexpr std::size_t kChunk = 256U * 1024;
constexpr std::size_t kSmallest = 32;
constexpr std::size_t kLargest = 32U * 1024;  // longer blocks have pages of their own
constexpr std::size_t kSizes = std::bit_width(kLargest / kSmallest);

// Stands before every block and keeps it aligned.
struct alignas(std::max_align_t) Header {
  std::size_t size = 0;  // of both together
};

struct Free {
  Free *next = nullptr;
};

void *map(std::size_t size) noexcept {
  void *pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  madvise(pages, size, MADV_DONTDUMP);
  return pages;
}

// Blocks of powers of two, kept for the next of their size.
class Heap {
 public:
  void *take(std::size_t size) noexcept {
    const std::lock_guard lock(mutex);
    Free *&first = free_.at(static_cast<std::size_t>(std::countr_zero(size / kSmallest)));
    if (first != nullptr) {
      Free *block = first;
      first = block->next;
      return block;
    }
    if (size > left_ && !grow()) return nullptr;
    left_ -= size;
    return room_ + left_;
  }

  void give_back(void *block, std::size_t size) noexcept {
    const std::lock_guard lock(mutex);
    Free *&first = free_.at(static_cast<std::size_t>(std::countr_zero(size / kSmallest)));
    first = new (block) Free{first};
  }

  std::mutex mutex;

 private:
  // What is left of the chunk before is less than the block that is wanted, and stays unused.
  bool grow() noexcept {
    auto *chunk = static_cast<char *>(map(kChunk));
    if (chunk == nullptr) return false;
    room_ = chunk;
    left_ = kChunk;
    return true;
  }

  std::array<Free *, kSizes> free_{};
  char *room_ = nullptr;
  std::size_t left_ = 0;
};

// Never destroyed: threads of a process that exits may still hold secrets.
Heap &heap() {
  alignas(Heap) static std::array<unsigned char, sizeof(Heap)> memory;
  static auto *instance = new (memory.data()) Heap;
  static const int handlers = pthread_atfork([] { heap().mutex.lock(); }, [] { heap().mutex.unlock(); }, [] { heap().mutex.unlock(); });
  (void)handlers;
  return *instance;
}

Header *header_of(void *block) { return static_cast<Header *>(block) - 1; }

}  // namespace

void *allocate_hidden(std::size_t size) noexcept {
  if (size > PTRDIFF_MAX - kChunk) return nullptr;
  const std::size_t wanted = std::max(size + sizeof(Header), kSmallest);
  const bool large = wanted > kLargest;
  const std::size_t rounded = large ? (wanted + 4095) & ~std::size_t{4095} : std::bit_ceil(wanted);
  void *room = large ? map(rounded) : heap().take(rounded);
  if (room == nullptr) return nullptr;
  return new (room) Header{rounded} + 1;
}

void *reallocate_hidden(void *block, std::size_t size) noexcept {
  const std::size_t room = block == nullptr ? 0 : header_of(block)->size - sizeof(Header);
  if (block != nullptr && size <= room) return block;
  void *moved = allocate_hidden(size);
  if (moved == nullptr || block == nullptr) return moved;
  std::memcpy(moved, block, room);
  free_hidden(block);
  return moved;
}

void free_hidden(void *block) noexcept {
  if (block == nullptr) return;
  Header *header = header_of(block);
  if (header->size > kLargest) {
    munmap(header, header->size);
  } else {
    heap().give_back(header, header->size);
  }
}

void install_hidden_fork_handlers() noexcept { heap(); }

#endif

}  // namespace fleetauth::os
