// exit_helper URL CA_FILE WAY: calls exit() while requests are in flight that no server will answer.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "tests/capi/emulator.h"

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const std::string way = argv[3];
  const capi::Runtime runtime = capi::make_runtime({{"mode", way == "manual" ? "manual" : "threaded"}});
  const capi::Client client = capi::make_client(runtime.get(), "fleetup",
                                                {{"api_key", "demo-api-key"},
                                                 {"acct_id", "12345"},
                                                 {"secret", "your-app-secret"},
                                                 {"base_url", argv[1] + std::string("/fleetup")},
                                                 {"ca_file", argv[2]},
                                                 {"proxy", "none"}});
  const capi::Queue queue = capi::make_queue(runtime.get());
  const capi::Op op = capi::start(client.get(), queue.get(), 1);
  std::thread waiting([&] { capi::get_token(client.get()); });
  waiting.detach();
  char line = 0;
  if (std::fread(&line, 1, 1, stdin) != 1) return 3;  // the test says when the request has arrived
  if (way == "thread") {
    std::thread([] { std::exit(0); }).join();
  }
  if (way == "quick_exit") std::quick_exit(0);
  std::exit(0);
}
