// A reseller: one client with the tokens of 100,000 accounts in memory. What they take there, and how long finding one takes.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tools/bench/measure.h"
#include "tools/bench/scene.h"

namespace bench {
namespace {

constexpr std::size_t kAccounts = 100'000;
constexpr std::size_t kAccountTokenSize = 600;
constexpr std::size_t kLookups = 200'000;
constexpr double kLimitMb = 141;
constexpr double kLimitNs = 1000;

double resident_mb() {
  std::ifstream pages("/proc/self/statm");
  double total = 0;
  double resident = 0;
  pages >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// Accounts are numbered as a provider does: ids of 36 characters.
std::string account(std::size_t number) {
  char id[37];
  std::snprintf(id, sizeof id, "%08zx-2b7e-4151-8628-aed2a6abf715", number);
  return id;
}

class Reseller {
 public:
  Reseller() : runtime_(make_runtime(false)), queue_(make_queue(runtime_.get())), client_(make_client()) {}

  [[nodiscard]] Request request(std::size_t number) const {
    fleetauth_request *request = nullptr;
    fleetauth_error *error = nullptr;
    must(fleetauth_request_new(client_.get(), options({{"account", account(number)}}).get(), &request, &error), error, "request");
    return Request(request);
  }
  void log_in(std::size_t number) const {
    const Request asked = request(number);
    fleetauth_op *op = nullptr;
    fleetauth_error *error = nullptr;
    must(fleetauth_client_start(client_.get(), asked.get(), nullptr, 0, nullptr, 0, queue_.get(), 1, &op, &error), error, "start");
    const Op started(op);
    answer(claim(next(queue_.get()).get()).get(), body_);
    if (fleetauth_token_from_cache(token_of(next(queue_.get()).get()).get()) != 0) std::abort();
  }
  void look_up(const Request &request) const {
    fleetauth_token *token = nullptr;
    must(fleetauth_client_peek(client_.get(), request.get(), nullptr, 0, nullptr, 0, &token, nullptr), nullptr, "peek");
    keep(token);
    fleetauth_token_unref(token);
  }

 private:
  [[nodiscard]] Client make_client() const {
    return bench::make_client(runtime_.get(), "trimble_maps", {{"api_key", "bench-api-key"}, {"transport", "host"}});
  }

  const std::string body_ = R"({"token":")" + std::string(kAccountTokenSize, 't') + R"(","expires":"2099-01-01T00:00:00Z"})";
  Runtime runtime_;
  Queue queue_;
  Client client_;
};

// Each thousandth is asked for in turn, so that none of them is in the processor's caches.
std::vector<double> time_each(const Reseller &reseller, const std::vector<Request> &requests) {
  std::vector<double> times;
  times.reserve(kLookups);
  for (std::size_t i = 0; i < kLookups; ++i) {
    const Request &asked = requests[i * 7919 % requests.size()];
    const double begin = wall_ns();
    reseller.look_up(asked);
    times.push_back(wall_ns() - begin);
  }
  return times;
}

}  // namespace

void bench_accounts() {
  const Reseller reseller;
  reseller.log_in(kAccounts);  // what the first of all takes is not theirs
  const double before = resident_mb();
  for (std::size_t i = 0; i < kAccounts; ++i) reseller.log_in(i);
  const double grown = resident_mb() - before;
  std::printf("C: memory for 100,000 accounts with tokens of 600 bytes\t%.0f MB\t%.1f MB\t-\t%.2f x\t-\n", kLimitMb, grown,
              grown / kLimitMb);
  std::fflush(stdout);

  std::vector<Request> requests;
  requests.reserve(kAccounts);
  for (std::size_t i = 0; i < kAccounts; ++i) requests.push_back(reseller.request(i));
  std::vector<double> costs;
  for (int round = 0; round < kRounds; ++round) {
    costs.push_back(cpu_cost([&](std::int64_t times) {
      for (std::int64_t i = 0; i < times; ++i) reseller.look_up(requests[static_cast<std::size_t>(i) * 7919 % requests.size()]);
    })(kLookups));
  }
  print("C: client_peek for one of 100,000 accounts", kLimitNs, percentile(costs, 0.5));
  print("C: client_peek for one of 100,000 accounts, real time p99", 0, percentile(time_each(reseller, requests), 0.99));
}

}  // namespace bench
