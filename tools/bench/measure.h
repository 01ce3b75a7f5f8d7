#pragma once

#include <sched.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// How figures are measured: interleaved rounds, CPU time of the measuring thread, medians of the ratios of each round. On a busy machine
/// the ratios are what can be trusted, not the times.
namespace bench {

inline constexpr int kRounds = 15;

/// Nanoseconds of CPU time of the calling thread.
[[nodiscard]] double thread_cpu_ns();
/// Nanoseconds of real time.
[[nodiscard]] double wall_ns();

/// Keeps the calling thread, and those it starts, on one processor while it lives: where the kernel puts a client and its server costs
/// more than what is compared.
class OneProcessor {
 public:
  OneProcessor();
  ~OneProcessor();
  OneProcessor(const OneProcessor &) = delete;
  OneProcessor &operator=(const OneProcessor &) = delete;

 private:
  cpu_set_t before_{};
};

[[nodiscard]] double percentile(std::vector<double> values, double share);

/// Costs in nanoseconds of both sides, one a round.
struct Rounds {
  std::vector<double> ours;
  std::vector<double> reference;
};

/// Does something so many times.
using Work = std::function<void(std::int64_t times)>;
/// Does something so many times and answers what one of them cost.
using Costs = std::function<double(std::int64_t times)>;

/// Runs both in turn, each round in the other order, so often that one turn takes some milliseconds.
[[nodiscard]] Rounds interleave(const Costs &ours, const Costs &reference);
/// The CPU time of the calling thread that one call costs.
[[nodiscard]] Costs cpu_cost(Work work);

/// Prints one line, tab-separated: figure, limit, ours, reference, ratio, spread (quartiles of the ratio). A limit of 0 is none.
void print(const std::string &figure, double limit, const Rounds &rounds);
/// The same for something that is compared with its limit only.
void print(const std::string &figure, double limit_ns, double ours_ns);

/// Keeps the compiler from leaving out what made the value.
template <class T>
void keep(const T &value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace bench
