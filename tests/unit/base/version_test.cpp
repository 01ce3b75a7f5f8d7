#include "core/base/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

TEST(Version, IsThreeNumbers) { EXPECT_THAT(std::string(fleetauth::version()), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+")); }

TEST(Version, NamesEveryLibraryThatIsCompiledIn) {
  std::istringstream text{std::string(fleetauth::linked_versions())};
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  EXPECT_THAT(lines,
              ElementsAre(MatchesRegex("curl [0-9]+\\..*"), MatchesRegex("simdjson [0-9]+\\..*"), MatchesRegex("openssl [0-9]+\\..*")));
}

}  // namespace
