#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "tests/conformance/runner/subject.h"

namespace conformance {

/// Members keep the order of the file: that of a form's members counts.
using Json = nlohmann::ordered_json;

/// What came is not what the vector says, or the vector is not one.
class Mismatch : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Carries a vector out. Throws Mismatch.
void play(const Json &vector, Subject &subject);

}  // namespace conformance
