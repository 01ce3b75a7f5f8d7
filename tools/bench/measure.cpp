#include "tools/bench/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <utility>

namespace bench {
namespace {

constexpr double kTurnNs = 4e6;

double clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// So often that a turn is long beside the clock's resolution and short beside a time slice.
std::int64_t times_for(const Costs &costs) {
  std::int64_t times = 1;
  while (true) {
    const double each = costs(times);
    if (each * static_cast<double>(times) >= kTurnNs / 4) return std::max<std::int64_t>(1, std::llround(kTurnNs / each));
    times *= 4;
  }
}

std::string with_unit(double ns) {
  char text[32];
  if (ns < 10'000) {
    std::snprintf(text, sizeof text, "%.*f ns", ns < 10 ? 1 : 0, ns);
  } else if (ns < 10'000'000) {
    std::snprintf(text, sizeof text, "%.1f us", ns / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.1f ms", ns / 1e6);
  }
  return text;
}

}  // namespace

double thread_cpu_ns() { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }
double wall_ns() { return clock_ns(CLOCK_MONOTONIC); }

OneProcessor::OneProcessor() {
  sched_getaffinity(0, sizeof before_, &before_);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  sched_setaffinity(0, sizeof one, &one);
}

OneProcessor::~OneProcessor() { sched_setaffinity(0, sizeof before_, &before_); }

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

Rounds interleave(const Costs &ours, const Costs &reference) {
  const std::int64_t our_times = times_for(ours);
  const std::int64_t reference_times = times_for(reference);
  Rounds rounds;
  for (int round = 0; round < kRounds; ++round) {
    if (round % 2 == 0) rounds.ours.push_back(ours(our_times));
    rounds.reference.push_back(reference(reference_times));
    if (round % 2 != 0) rounds.ours.push_back(ours(our_times));
  }
  return rounds;
}

Costs cpu_cost(Work work) {
  return [work = std::move(work)](std::int64_t times) {
    const double begin = thread_cpu_ns();
    work(times);
    return (thread_cpu_ns() - begin) / static_cast<double>(times);
  };
}

void print(const std::string &figure, double limit, const Rounds &rounds) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < rounds.ours.size(); ++i) ratios.push_back(rounds.ours[i] / rounds.reference[i]);
  char allowed[32] = "-";
  if (limit > 0) std::snprintf(allowed, sizeof allowed, "%.2f x", limit);
  std::printf("%s\t%s\t%s\t%s\t%.2f x\t%.2f..%.2f\n", figure.c_str(), allowed, with_unit(percentile(rounds.ours, 0.5)).c_str(),
              with_unit(percentile(rounds.reference, 0.5)).c_str(), percentile(ratios, 0.5), percentile(ratios, 0.25),
              percentile(ratios, 0.75));
  std::fflush(stdout);
}

void print(const std::string &figure, double limit_ns, double ours_ns) {
  if (limit_ns > 0) {
    std::printf("%s\t%s\t%s\t-\t%.2f x\t-\n", figure.c_str(), with_unit(limit_ns).c_str(), with_unit(ours_ns).c_str(), ours_ns / limit_ns);
  } else {
    std::printf("%s\t-\t%s\t-\t-\t-\n", figure.c_str(), with_unit(ours_ns).c_str());
  }
  std::fflush(stdout);
}

}  // namespace bench
