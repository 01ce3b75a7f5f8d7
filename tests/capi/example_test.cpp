// examples/c/token.c does what its first lines say.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "tests/capi/emulator.h"

namespace capi {
namespace {

struct Ended {
  int status = -1;
  std::string output;
};

Ended run(const std::string &arguments) {
  setenv("EXAMPLE_KEY", "demo-api-key", 1);
  Ended result;
  FILE *pipe = popen((EXAMPLE_COMMAND " " + arguments + " 2>&1").c_str(), "r");
  std::array<char, 4096> chunk{};
  while (const std::size_t size = fread(chunk.data(), 1, chunk.size(), pipe)) result.output.append(chunk.data(), size);
  result.status = WEXITSTATUS(pclose(pipe));
  return result;
}

TEST(Example, GetsATokenBothWays) {
  setenv("EXAMPLE_SECRET", "your-app-secret", 1);
  Emulator emulator;
  const std::string base = emulator.url() + "/fleetup";
  const Ended good = run("fleetup " + base + "/devices api_key=@EXAMPLE_KEY acct_id=12345 secret=@EXAMPLE_SECRET base_url=" + base +
                         " proxy=none ca_file=" + emulator.ca_file());
  EXPECT_EQ(good.status, 0) << good.output;
  EXPECT_NE(good.output.find("synchronous: tok:"), std::string::npos) << good.output;
  EXPECT_NE(good.output.find("pulled: tok:"), std::string::npos) << good.output;
  EXPECT_NE(good.output.find("headers: Authorization x-api-key"), std::string::npos) << good.output;
  EXPECT_EQ(emulator.requests("token"), 1U);
}

TEST(Example, SaysWhatIsWrong) {
  Emulator emulator;
  const std::string base = emulator.url() + "/fleetup";
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // a command that fails ends without releasing anything
  const Ended bad = run("fleetup " + base + "/devices api_key=@EXAMPLE_KEY acct_id=12345 secret=wrong-canary base_url=" + base +
                        " proxy=none ca_file=" + emulator.ca_file());
  EXPECT_EQ(bad.status, 1);
  EXPECT_NE(bad.output.find("E_INVALID_CREDENTIALS: fleetup: "), std::string::npos) << bad.output;
  EXPECT_EQ(bad.output.find("wrong-canary"), std::string::npos) << bad.output;
  EXPECT_EQ(run("").status, 2);
  EXPECT_EQ(run("fleetup " + base + " secret=@NOT_SET_ANYWHERE").status, 2);
}

}  // namespace
}  // namespace capi
