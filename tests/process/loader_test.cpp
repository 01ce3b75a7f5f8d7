// Two copies of the library in one process, and programs that unload it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/capi/emulator.h"
#include "tests/process/child.h"

namespace process {
namespace {

class Loader : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Loader, P16_P04_TwoCopiesWorkAndStayMappedAfterDlclose) {
  capi::Emulator emulator;
  std::vector<std::string> command{LOADER_COMMAND, LIBRARY_FILE, LIBRARY_COPY, emulator.url(), emulator.ca_file()};
  command.insert(command.end(), GetParam().begin(), GetParam().end());
  EXPECT_EQ(wait_for(spawn(command)).status, 0);
  EXPECT_EQ(emulator.requests("token"), 3U);
}

INSTANTIATE_TEST_SUITE_P(WhoseSymbolsAreShown, Loader,
                         ::testing::Values(std::vector<std::string>{}, std::vector<std::string>{LIBRARY_FILE},
                                           std::vector<std::string>{LIBRARY_COPY}, std::vector<std::string>{LIBRARY_FILE, LIBRARY_COPY}));

}  // namespace
}  // namespace process
