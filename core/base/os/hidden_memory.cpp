#include "core/base/os/hidden_memory.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

namespace fleetauth::os {

namespace {
constexpr std::size_t kMost = PTRDIFF_MAX / 2;  // with room for what is added
}

#ifdef __SANITIZE_ADDRESS__
#define FLEETAUTH_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLEETAUTH_ADDRESS_SANITIZER
#endif
#endif

#ifdef FLEETAUTH_ADDRESS_SANITIZER

// The sanitizer watches its own heap only, and writes no core files.
void *allocate_hidden(std::size_t size) noexcept { return size > kMost ? nullptr : std::malloc(size); }
void *reallocate_hidden(void *block, std::size_t size) noexcept { return size > kMost ? nullptr : std::realloc(block, size); }
void free_hidden(void *block) noexcept { std::free(block); }
std::size_t hidden_size(void *block) noexcept { return malloc_usable_size(block); }
bool install_hidden_fork_handlers() noexcept { return true; }

#else

namespace {

constexpr std::size_t kChunk = 256U * 1024;
constexpr std::size_t kStep = 16;             // every block is aligned to it
constexpr std::size_t kFine = 1024;           // up to here sizes go by steps, beyond by a quarter of their power of two
constexpr std::size_t kLargest = 32U * 1024;  // longer blocks have pages of their own
constexpr std::size_t kFineSizes = kFine / kStep;
constexpr std::size_t kSizes = kFineSizes + 4 * std::bit_width(kLargest / kFine);

// Stands before what is handed out, which is aligned: blocks therefore begin half a step off.
struct Header {
  std::size_t size = 0;  // of both together
};
static_assert(2 * sizeof(Header) == kStep);

struct Free {
  Free *next = nullptr;
};

// The size of a block that has room for so much, and which of the sizes it is.
struct SizeClass {
  std::size_t size = 0;
  std::size_t index = 0;
};

SizeClass class_of(std::size_t wanted) {
  if (wanted <= kFine) {
    const std::size_t steps = (wanted + kStep - 1) / kStep;
    return {steps * kStep, steps - 1};
  }
  const std::size_t power = std::bit_floor(wanted - 1);  // size is within (power, 2 * power]
  const auto quarter = std::bit_width(power) - 3;        // of the power, as a power of two
  const std::size_t quarters = ((wanted - power - 1) >> quarter) + 1;
  return {power + (quarters << quarter), kFineSizes + 4 * (std::bit_width(power / kFine) - 1) + quarters - 1};
}

void *map(std::size_t size) noexcept {
  void *pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  madvise(pages, size, MADV_DONTDUMP);
  return pages;
}

// Blocks that come back are kept for the next of their size.
class Heap {
 public:
  void *take(const SizeClass &wanted) noexcept {
    const std::lock_guard lock(mutex);
    Free *&first = free_.at(wanted.index);
    if (first != nullptr) {
      Free *block = first;
      first = block->next;
      return block;
    }
    if (wanted.size > left_ && !grow()) return nullptr;
    left_ -= wanted.size;
    return room_ + left_;
  }

  void give_back(void *block, std::size_t size) noexcept {
    const std::lock_guard lock(mutex);
    Free *&first = free_.at(class_of(size).index);
    first = new (block) Free{first};
  }

  std::mutex mutex;

 private:
  // What is left of the chunk before is less than the block that is wanted, and stays unused.
  bool grow() noexcept {
    auto *chunk = static_cast<char *>(map(kChunk));
    if (chunk == nullptr) return false;
    room_ = chunk + sizeof(Header);
    left_ = kChunk - kStep;
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
  static const bool handlers = install_hidden_fork_handlers();
  (void)handlers;  // a runtime is not made without
  return *instance;
}

Header *header_of(void *block) { return static_cast<Header *>(block) - 1; }

bool has_pages_of_its_own(const Header &header) { return header.size > kLargest; }
std::size_t room_of(const Header &header) { return header.size - (has_pages_of_its_own(header) ? kStep : sizeof(Header)); }

void *allocate_pages(std::size_t size) noexcept {
  const std::size_t rounded = (size + kStep + 4095) & ~std::size_t{4095};
  auto *pages = static_cast<char *>(map(rounded));
  return pages == nullptr ? nullptr : new (pages + sizeof(Header)) Header{rounded} + 1;
}

}  // namespace

void *allocate_hidden(std::size_t size) noexcept {
  if (size > kMost) return nullptr;
  if (size > kLargest - sizeof(Header)) return allocate_pages(size);
  const SizeClass wanted = class_of(size + sizeof(Header));
  void *block = heap().take(wanted);
  return block == nullptr ? nullptr : new (block) Header{wanted.size} + 1;
}

void *reallocate_hidden(void *block, std::size_t size) noexcept {
  const std::size_t room = block == nullptr ? 0 : room_of(*header_of(block));
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
  if (has_pages_of_its_own(*header)) {
    munmap(header - 1, header->size);
  } else {
    heap().give_back(header, header->size);
  }
}

std::size_t hidden_size(void *block) noexcept { return room_of(*header_of(block)); }

bool install_hidden_fork_handlers() noexcept {
  static std::atomic<bool> installed{false};
  if (installed) return true;  // without the lock: a fork must not find it held
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (!installed) {
    installed = pthread_atfork([] { heap().mutex.lock(); }, [] { heap().mutex.unlock(); }, [] { heap().mutex.unlock(); }) == 0;
  }
  return installed;
}

#endif

}  // namespace fleetauth::os
