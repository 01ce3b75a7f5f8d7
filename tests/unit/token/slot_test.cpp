#include "core/token/slot.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/token/slabs.h"

namespace fleetauth::token {
namespace {

constexpr std::uint64_t kOwner = 42;

std::shared_ptr<Token> make_token(std::string_view secret, BootMs obtained = 0) {
  auto token = std::make_shared<Token>();
  token->secret = SecretBytes(secret);
  token->obtained = obtained;
  token->usable_until = 1'000'000;
  return token;
}

TEST(SlotTest, TheWordChangesWithEveryTokenAndDrop) {
  Slot slot(kOwner);
  const auto empty = slot.word();
  slot.publish(make_token("a"));
  const auto first = slot.word();
  slot.publish(make_token("b"));
  const auto second = slot.word();
  slot.drop();
  const auto dropped = slot.word();
  EXPECT_NE(empty, first);
  EXPECT_NE(first, second);
  EXPECT_NE(second, dropped);
  EXPECT_NE(dropped, 0);
}

TEST(SlotTest, HostsReadTheWordInItsSlab) {
  Slot slot(kOwner);
  slot.publish(make_token("a"));
  const std::int32_t *words = slab_words(slot.number() / kSlotsPerSlab);
  ASSERT_NE(words, nullptr);
  EXPECT_EQ(words[slot.number() % kSlotsPerSlab], slot.word());
  EXPECT_EQ(slab_words(-1), nullptr);
  EXPECT_EQ(slab_words(4000), nullptr);
}

TEST(SlotTest, ANumberThatIsUsedAgainHasAnotherWord) {
  std::int64_t number = 0;
  std::int32_t word = 0;
  {
    Slot slot(kOwner);
    slot.publish(make_token("a"));
    number = slot.number();
    word = slot.word();
  }
  EXPECT_NE(read_word(number), word);
}

TEST(SlotTest, H08_OnlyTheFirstReportOfAGenerationDropsTheToken) {
  Slot slot(kOwner);
  slot.publish(make_token("a"));
  const auto refused = slot.current()->generation;
  EXPECT_EQ(slot.reject(refused, 10), Advice::Retry);
  EXPECT_EQ(slot.current(), nullptr);
  EXPECT_EQ(slot.reject(refused, 10), Advice::Retry);
  slot.publish(make_token("b", 20));
  EXPECT_EQ(slot.reject(refused, 30), Advice::Retry);
  EXPECT_NE(slot.current(), nullptr) << "a report about an older token must not cost the new one";
}

TEST(SlotTest, H08_ASecondRefusalWithinAMinuteStopsAndKeepsTheToken) {
  Slot slot(kOwner);
  slot.publish(make_token("a"));
  EXPECT_EQ(slot.reject(slot.current()->generation, 10), Advice::Retry);
  slot.publish(make_token("b", 20));
  const auto second = slot.current()->generation;
  EXPECT_EQ(slot.reject(second, 30), Advice::Stop);
  EXPECT_EQ(slot.reject(second, 20 + 59'999), Advice::Stop);
  EXPECT_NE(slot.current(), nullptr);
  EXPECT_EQ(slot.reject(second, 20 + 60'000), Advice::Retry) << "much later it may be a new reason";
  EXPECT_EQ(slot.current(), nullptr);
}

TEST(SlotTest, CopiesForTheOwnerOnly) {
  Slot slot(kOwner);
  std::array<char, 64> buffer{};
  EXPECT_EQ(copy_token(slot.number(), kOwner, buffer.data(), buffer.size()).outcome, CopyOutcome::NoToken);
  slot.publish(make_token("token-a"));
  const CopyResult copied = copy_token(slot.number(), kOwner, buffer.data(), buffer.size());
  EXPECT_EQ(copied.outcome, CopyOutcome::Copied);
  EXPECT_EQ(std::string_view(buffer.data(), copied.size), "token-a");
  EXPECT_EQ(copied.generation, slot.current()->generation);
  const CopyResult small = copy_token(slot.number(), kOwner, buffer.data(), 3);
  EXPECT_EQ(small.outcome, CopyOutcome::TooSmall);
  EXPECT_EQ(small.size, 7U);
  EXPECT_EQ(copy_token(slot.number(), kOwner + 1, buffer.data(), buffer.size()).outcome, CopyOutcome::NotYours) << "T17";
  EXPECT_EQ(copy_token(-1, kOwner, buffer.data(), buffer.size()).outcome, CopyOutcome::NotYours);
  EXPECT_EQ(copy_token(INT64_MAX, kOwner, buffer.data(), buffer.size()).outcome, CopyOutcome::NotYours);
}

TEST(SlotTest, ReadersSeeWholeTokensWhileTheyAreReplaced) {
  Slot slot(kOwner);
  slot.publish(make_token(std::string(900, 'a')));
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::array<char, 1024> buffer{};
      while (!stop.load(std::memory_order_relaxed)) {
        const CopyResult result = copy_token(slot.number(), kOwner, buffer.data(), buffer.size());
        const std::string_view copy(buffer.data(), result.size);
        if (copy.find_first_not_of(copy.front()) != std::string_view::npos) torn.fetch_add(1);
      }
    });
  }
  for (int i = 0; i < 2000; ++i) slot.publish(make_token(std::string(900, static_cast<char>('a' + i % 26))));
  stop = true;
  for (std::thread &reader : readers) reader.join();
  EXPECT_EQ(torn.load(), 0);
}

}  // namespace
}  // namespace fleetauth::token
