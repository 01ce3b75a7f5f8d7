#include "core/token/slabs.h"

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

namespace fleetauth::token {

namespace {

using Word = std::atomic<std::int32_t>;
static_assert(sizeof(Word) == sizeof(std::int32_t) && Word::is_always_lock_free, "hosts read the words as plain int32");

constexpr std::size_t kMaxSlabs = 4096;

using Slab = std::array<Word, kSlotsPerSlab>;

struct Slabs {
  std::mutex mutex;
  std::vector<std::int64_t> free;
  std::int64_t used = 0;
};

std::array<std::atomic<Slab *>, kMaxSlabs> g_slabs;

Slabs &slabs() {
  static auto *instance = new Slabs;  // never destroyed: threads may outlive main
  return *instance;
}

Word *word(std::int64_t slot) noexcept {
  if (slot < 0 || slot >= static_cast<std::int64_t>(kMaxSlabs) * kSlotsPerSlab) return nullptr;
  Slab *slab = g_slabs[static_cast<std::size_t>(slot / kSlotsPerSlab)].load(std::memory_order_acquire);
  return slab == nullptr ? nullptr : &(*slab)[static_cast<std::size_t>(slot % kSlotsPerSlab)];
}

void change(Word &word) noexcept {
  std::int32_t now = word.load(std::memory_order_relaxed);
  std::int32_t next = 0;
  do {
    next = now == INT32_MAX ? INT32_MIN : now + 1;
    if (next == 0) next = 1;
  } while (!word.compare_exchange_weak(now, next, std::memory_order_acq_rel));
}

}  // namespace

std::int64_t take_slot() {
  Slabs &all = slabs();
  const std::lock_guard lock(all.mutex);
  if (!all.free.empty()) {
    const std::int64_t slot = all.free.back();
    all.free.pop_back();
    return slot;
  }
  const auto index = static_cast<std::size_t>(all.used / kSlotsPerSlab);
  if (index >= kMaxSlabs) throw std::bad_alloc();
  if (all.used % kSlotsPerSlab == 0) {
    all.free.reserve(all.free.capacity() + static_cast<std::size_t>(kSlotsPerSlab));  // so that giving back never allocates
    auto *slab = new Slab;
    for (Word &w : *slab) w.store(1, std::memory_order_relaxed);
    g_slabs[index].store(slab, std::memory_order_release);
  }
  return all.used++;
}

void return_slot(std::int64_t slot) noexcept {
  change_word(slot);
  Slabs &all = slabs();
  const std::lock_guard lock(all.mutex);
  all.free.push_back(slot);
}

std::int32_t read_word(std::int64_t slot) noexcept {
  const Word *w = word(slot);
  return w == nullptr ? 0 : w->load(std::memory_order_acquire);
}

void change_word(std::int64_t slot) noexcept {
  if (Word *w = word(slot)) change(*w);
}

void change_all_words() noexcept {
  for (auto &entry : g_slabs) {
    Slab *slab = entry.load(std::memory_order_acquire);
    if (slab == nullptr) return;
    for (Word &w : *slab) change(w);
  }
}

std::mutex &slabs_mutex() noexcept { return slabs().mutex; }

const std::int32_t *slab_words(std::int64_t index) noexcept {
  if (index < 0 || index >= static_cast<std::int64_t>(kMaxSlabs)) return nullptr;
  Slab *slab = g_slabs[static_cast<std::size_t>(index)].load(std::memory_order_acquire);
  return slab == nullptr ? nullptr : reinterpret_cast<const std::int32_t *>(slab->data());
}

}  // namespace fleetauth::token
