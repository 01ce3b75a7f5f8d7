#include "token_book.h"

#include <gtest/gtest.h>

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

Token token(const std::string &value, const std::string &provider, const std::string &account = "a") {
  return {value, provider, "kind", account, kNow, kNow + 10};
}

TEST(EmulatorTokenBook, TwoProvidersMayHaveTheSameToken) {
  TokenBook book;
  book.add(token("same", "one"));
  book.add(token("same", "two"));
  EXPECT_EQ(book.revoke("one", "", ""), 1U);
  EXPECT_EQ(book.check("one", "kind", "same", kNow).state, TokenState::revoked);
  EXPECT_EQ(book.check("two", "kind", "same", kNow).state, TokenState::good);
  EXPECT_EQ(book.check("three", "kind", "same", kNow).state, TokenState::unknown);
  EXPECT_EQ(book.check("two", "other", "same", kNow).state, TokenState::unknown);
}

TEST(EmulatorTokenBook, AProvidersTokenGivesWayToOneOfTheSameValue) {
  TokenBook book;
  book.add(token("same", "one", "a"));
  book.revoke("one", "", "");
  book.add(token("same", "one", "b"));
  EXPECT_EQ(book.newest("one", 10).size(), 1U);
  EXPECT_EQ(book.check("one", "kind", "same", kNow).account, "b");
  EXPECT_EQ(book.check("one", "kind", "same", kNow).state, TokenState::good);
}

TEST(EmulatorTokenBook, ForgetsTheOldest) {
  TokenBook book;
  book.add(token("first", "one"));
  book.add(token("first", "two"));
  for (std::size_t i = 0; i < TokenBook::max_tokens - 1; ++i) book.add(token(std::to_string(i), "one"));
  EXPECT_EQ(book.check("one", "kind", "first", kNow).state, TokenState::unknown);
  EXPECT_EQ(book.check("two", "kind", "first", kNow).state, TokenState::good);
  book.add(token("last", "one"));
  EXPECT_FALSE(book.contains("first"));
  EXPECT_TRUE(book.contains("0"));
  EXPECT_EQ(book.newest("one", 1).front().value, "last");
}

}  // namespace
}  // namespace fleetauth::emulator
