// budget_helper ORIGIN CA_FILE PACE: gets a token, then another one from a server that has turned hostile, and prints what came of it and
// by how many KiB the process's memory grew at most. PACE is "slow" if the time that passes, by a manual clock, is what ends the attack.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "tests/capi/emulator.h"

namespace {

/// Of this process, in KiB: VmRSS, or VmHWM, the most it ever was.
long memory(const std::string &figure) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(figure + ":")) return std::atol(line.c_str() + figure.size() + 1);
  }
  std::abort();
}

void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

}  // namespace

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const bool slow = argv[3] == std::string("slow");
  capi::Clock clock;
  if (fleetauth_clock_manual_new(1'767'225'600'000, clock.out(), nullptr) != FLEETAUTH_OK) return 3;
  const capi::Runtime runtime = capi::make_runtime({}, clock.get());
  const capi::Queue queue = capi::make_queue(runtime.get());
  const capi::Client client = capi::make_client(
      runtime.get(), "fleetup",
      {{"api_key", "key"}, {"acct_id", "1"}, {"secret", "s"}, {"base_url", argv[1]}, {"ca_file", argv[2]}, {"proxy", "none"}});
  if (capi::get_token(client.get()).status != FLEETAUTH_OK) return 4;
  if (fleetauth_clock_advance(clock.get(), 3'600'000, nullptr) != FLEETAUTH_OK) return 5;

  forget_peak();
  const long before = memory("VmRSS");
  const capi::Op op = capi::start(client.get(), queue.get(), 1);
  capi::Outcome outcome;
  while ((outcome = capi::take_outcome(queue.get(), slow ? 20 : -1)).status == FLEETAUTH_E_WOULD_BLOCK) {
    fleetauth_clock_advance(clock.get(), 1000, nullptr);
  }
  std::cout << outcome.name() << " " << memory("VmHWM") - before << "\n";
  return 0;
}
