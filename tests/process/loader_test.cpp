// Two copies of the library in one process, and programs that unload it.
#include <gtest/gtest.h>

#include "tests/capi/emulator.h"
#include "tests/process/child.h"

namespace process {
namespace {

TEST(Loader, P16_P04_TwoCopiesWorkAndStayMappedAfterDlclose) {
  capi::Emulator emulator;
  EXPECT_EQ(wait_for(spawn({LOADER_COMMAND, LIBRARY_FILE, LIBRARY_COPY, emulator.url(), emulator.ca_file()})).status, 0);
  EXPECT_EQ(emulator.requests("token"), 3U);
}

}  // namespace
}  // namespace process
