#pragma once

#include <cstdint>
#include <mutex>

/// The generation words: one int32 a slot, in slabs that are never freed, so that a host may read them for as long as it likes.
/// A cached header may be used while the word it came with is unchanged. Words are never 0.
namespace fleetauth::token {

inline constexpr std::int64_t kSlotsPerSlab = 1024;

/// Takes a free slot number. Throws std::bad_alloc when a new slab is needed and cannot be had.
[[nodiscard]] std::int64_t take_slot();
/// Gives the number back; its word changes.
void return_slot(std::int64_t slot) noexcept;

[[nodiscard]] std::int32_t read_word(std::int64_t slot) noexcept;
void change_word(std::int64_t slot) noexcept;
/// Changes every word. Takes no lock and allocates nothing: for a fork's child.
void change_all_words() noexcept;

/// The words of slots index*1024 to index*1024+1023, or null when there is no such slab yet.
[[nodiscard]] const std::int32_t *slab_words(std::int64_t index) noexcept;

/// Held while slots come and go, and by the fork handlers.
std::mutex &slabs_mutex() noexcept;

}  // namespace fleetauth::token
