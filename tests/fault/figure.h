#pragma once

#include <cstdint>
#include <iomanip>
#include <iostream>
#include <string>

namespace fleetauth::test {

/// Prints a figure as `make bench` does, which shows it: figure, limit, ours, ratio.
inline void print_figure(const std::string &figure, std::int64_t limit, std::int64_t ours, const std::string &unit = "") {
  std::cout << figure << '\t' << limit << unit << '\t' << ours << unit << "\t-\t" << std::fixed << std::setprecision(2)
            << static_cast<double>(ours) / static_cast<double>(limit) << " x\t-" << std::endl;
}

}  // namespace fleetauth::test
