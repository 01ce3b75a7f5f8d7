#pragma once

#include <string>
#include <vector>

#include "tests/conformance/runner/play.h"

namespace conformance {

struct Mutant {
  std::string where;
  Json vector;
};

/// The vector with each single expectation altered: every leaf, and every header or form member left out or added.
std::vector<Mutant> mutants(const Json &vector);

}  // namespace conformance
