#include "core/base/secret_bytes.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "core/base/os/memory.h"

namespace fleetauth {
namespace {

TEST(SecretBytes, HoldsWhatItWasGivenFollowedByNul) {
  const SecretBytes secret(std::string_view("a\0b", 3));
  EXPECT_EQ(secret.view(), std::string_view("a\0b", 3));
  EXPECT_EQ(secret.c_str()[3], '\0');
}

TEST(SecretBytes, EmptyOneIsAnEmptyCString) {
  const SecretBytes secret;
  EXPECT_STREQ(secret.c_str(), "");
  EXPECT_TRUE(secret.view().empty());
}

TEST(SecretBytes, MovingLeavesNothingBehind) {
  SecretBytes from("secret");
  const SecretBytes to(std::move(from));
  EXPECT_EQ(to.view(), "secret");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the point
}

TEST(SecretBytes, AppendsPartsOfItself) {
  SecretBytes secret("abc");
  for (int i = 0; i < 3; ++i) secret.append(secret.view());
  EXPECT_EQ(secret.view(), "abcabcabcabcabcabcabcabc");
}

TEST(SecretBytes, AppendsWithinTheReservedRoomInPlace) {
  SecretBytes secret;
  secret.reserve(100);
  const char *before = secret.c_str();
  secret.append(std::string(100, 'x'));
  EXPECT_EQ(secret.c_str(), before);
}

TEST(SecretBytes, ClearWipesTheRoomAndKeepsIt) {
  SecretBytes secret("0123456789");
  const char *room = secret.c_str();
  secret.clear();
  EXPECT_EQ(std::string(room, 10), std::string(10, '\0'));
  EXPECT_EQ(secret.c_str(), room);
}

TEST(SecretBytes, CloneIsIndependent) {
  SecretBytes secret("one");
  const SecretBytes copy = secret.clone();
  secret.append("two");
  EXPECT_EQ(copy.view(), "one");
}

TEST(SecretBytes, ComparesWithoutShortcut) {
  EXPECT_TRUE(equal_constant_time("same", "same"));
  EXPECT_FALSE(equal_constant_time("same", "sama"));
  EXPECT_FALSE(equal_constant_time("same", "same1"));
  EXPECT_TRUE(equal_constant_time("", ""));
}

// The last bytes cannot be read: who ends at the first difference lives.
TEST(SecretBytes, T27_ReadsToTheEndHoweverEarlyTheDifference) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  auto *pages = static_cast<char *>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  const std::string other(2 * page, 'x');
  EXPECT_FALSE(equal_constant_time({pages, 2 * page}, other));
  ASSERT_EQ(mprotect(pages + page, page, PROT_NONE), 0);
  EXPECT_DEATH(std::exit(equal_constant_time({pages, 2 * page}, other) ? 1 : 0), "");
  munmap(pages, 2 * page);
}

TEST(Wipe, OverwritesAllOfIt) {
  std::string text(40, 'x');
  os::wipe(text.data(), text.size());
  EXPECT_EQ(text, std::string(40, '\0'));
  os::wipe(nullptr, 0);
}

}  // namespace
}  // namespace fleetauth
