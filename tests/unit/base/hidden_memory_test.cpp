#include "core/base/os/hidden_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace fleetauth::os {
namespace {

bool is_aligned(const void *block) { return reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t) == 0; }

bool holds(const unsigned char *block, std::size_t size, unsigned char value) {
  for (std::size_t i = 0; i < size; ++i) {
    if (block[i] != value) return false;
  }
  return true;
}

TEST(HiddenMemory, BlocksOfAnySizeAreAlignedAndApart) {
  struct Block {
    unsigned char *memory;
    std::size_t size;
  };
  std::vector<Block> blocks;
  for (int round = 0; round < 2; ++round) {  // the second takes what the first gave back
    for (std::size_t size = 0; size < 70'000; size = size < 2000 ? size + 7 : size * 5 / 4) {
      auto *memory = static_cast<unsigned char *>(allocate_hidden(size));
      ASSERT_NE(memory, nullptr);
      EXPECT_TRUE(is_aligned(memory)) << size;
      EXPECT_GE(hidden_size(memory), size);
      if (size != 0) std::memset(memory, static_cast<int>(size % 251), size);
      blocks.push_back({memory, size});
    }
    for (const Block &block : blocks) {
      EXPECT_TRUE(holds(block.memory, block.size, static_cast<unsigned char>(block.size % 251))) << block.size;
      free_hidden(block.memory);
    }
    blocks.clear();
  }
}

TEST(HiddenMemory, ABlockThatGrowsKeepsWhatItHeld) {
  for (const std::size_t before : {1U, 100U, 1016U, 1017U, 32'760U, 32'761U, 40'000U}) {
    auto *memory = static_cast<unsigned char *>(allocate_hidden(before));
    std::memset(memory, 7, before);
    memory = static_cast<unsigned char *>(reallocate_hidden(memory, before + 50'000));
    ASSERT_NE(memory, nullptr);
    EXPECT_TRUE(is_aligned(memory));
    EXPECT_TRUE(holds(memory, before, 7)) << before;
    std::memset(memory, 8, before + 50'000);
    free_hidden(memory);
  }
}

TEST(HiddenMemory, WhatCannotBeHadIsNull) { EXPECT_EQ(allocate_hidden(SIZE_MAX / 2), nullptr); }

}  // namespace
}  // namespace fleetauth::os
