#pragma once

#include <simdjson.h>

#include <cstddef>
#include <string_view>

#include "core/base/secret_bytes.h"

// Inside core/base only: keeps simdjson out of every other header.
namespace fleetauth::json {

/// The strict parser with its own padded copy of the text. Used for one text; all it held is wiped at the end.
class StrictParser {
 public:
  StrictParser() = default;
  StrictParser(const StrictParser &) = delete;
  StrictParser &operator=(const StrictParser &) = delete;
  ~StrictParser();

  /// Fills `root`, which is valid while this object lives.
  [[nodiscard]] simdjson::error_code parse(std::string_view text);

  simdjson::dom::element root;

 private:
  SecretBytes padded_;
  simdjson::dom::parser parser_;
};

/// What is wrong, in words of ours.
[[nodiscard]] const char *reason_of(simdjson::error_code error);

/// The 1-based line where a text that the strict parser refused stops being JSON; 0 when that cannot be told. Copies nothing of it.
[[nodiscard]] std::size_t line_of_problem(std::string_view text);

}  // namespace fleetauth::json
