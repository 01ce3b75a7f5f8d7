#include "base/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(Version, IsThreeNumbers) { EXPECT_THAT(std::string(fleetauth::version()), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+")); }

TEST(Version, NamesEveryLibraryThatIsCompiledIn) {
  const std::string linked(fleetauth::linked_versions());
  for (const char *name : {"curl/7.", "simdjson/", "openssl/3."}) {
    EXPECT_THAT(linked, HasSubstr(name));
  }
}

} // namespace
