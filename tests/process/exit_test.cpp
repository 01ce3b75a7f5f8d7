// The end of a process whose requests are in flight.
#include <gtest/gtest.h>

#include <array>

#include "tests/capi/emulator.h"
#include "tests/process/child.h"

namespace process {
namespace {

class Exit : public ::testing::TestWithParam<const char *> {};

TEST_P(Exit, P05_R10_EndsAtOnceWithRequestsInFlight) {
  capi::Emulator emulator;
  emulator.fault({{"times", "always"}, {"do", {{"hold", "for ever"}}}});
  for (int turn = 0; turn < times("FLEETAUTH_EXITS", 10); ++turn) {
    std::array<int, 2> in{};
    ASSERT_EQ(pipe(in.data()), 0);
    const int own_stdin = dup(STDIN_FILENO);
    dup2(in[0], STDIN_FILENO);
    const pid_t child = spawn({EXIT_COMMAND, emulator.url(), emulator.ca_file(), GetParam()});
    dup2(own_stdin, STDIN_FILENO);
    emulator.await_requests(static_cast<std::size_t>(turn) + 1);
    ASSERT_EQ(write(in[1], "x", 1), 1);
    const Ended ended = wait_for(child);
    EXPECT_EQ(ended.status, 0);
    EXPECT_LT(ended.time, kWithoutWaiting);
    for (const int fd : {in[0], in[1], own_stdin}) close(fd);
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, Exit, ::testing::Values("main", "thread", "quick_exit", "manual"));

}  // namespace
}  // namespace process
