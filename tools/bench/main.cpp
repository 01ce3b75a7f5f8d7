// fleetauth-bench [accounts|cached|cancel|fetch|herd|mint]...   prints figures, tab-separated; without arguments all of them.
#include <cstdio>
#include <string_view>

#include "tools/bench/scene.h"

int main(int argc, char **argv) {
  constexpr struct {
    std::string_view name;
    void (*run)();
  } kGroups[] = {{"accounts", bench::bench_accounts}, {"cached", bench::bench_cached}, {"cancel", bench::bench_cancel},
                 {"fetch", bench::bench_fetch},       {"herd", bench::bench_herd},     {"mint", bench::bench_mint}};

  for (int i = 1; i < argc; ++i) {
    bool known = false;
    for (const auto &group : kGroups) known = known || group.name == argv[i];
    if (!known) {
      std::fprintf(stderr, "usage: %s [accounts|cached|cancel|fetch|herd|mint]...\n", argv[0]);
      return 2;
    }
  }
  for (const auto &group : kGroups) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; ++i) wanted = wanted || group.name == argv[i];
    if (wanted) group.run();
  }
  return 0;
}
