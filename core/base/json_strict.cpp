#include "core/base/json_strict.h"

#include <algorithm>
#include <cstdint>
#include <new>

#include "core/base/json.h"
#include "core/base/os/memory.h"

namespace fleetauth::json {

/// What the parser may have written, by its own rule. The heap cannot be asked: operator new is the program's to replace.
StrictParser::~StrictParser() {
  const std::size_t capacity = parser_.doc.capacity();
  if (capacity == 0) return;
  os::wipe(parser_.doc.string_buf.get(), 5 * capacity / 3 + simdjson::SIMDJSON_PADDING);
  os::wipe(parser_.doc.tape.get(), (capacity + 3) * sizeof(std::uint64_t));
}

simdjson::error_code StrictParser::parse(std::string_view text) {
  static constexpr char kPadding[simdjson::SIMDJSON_PADDING] = {};
  padded_.reserve(text.size() + sizeof kPadding);
  padded_.append(text);
  padded_.append({kPadding, sizeof kPadding});
  constexpr std::size_t kSmallest = 32;  // below, the parser would allocate anew, with a depth limit of its own
  auto error = parser_.allocate(std::max(text.size(), kSmallest), kMaxDepth);
  if (error == simdjson::SUCCESS) error = parser_.parse(padded_.c_str(), text.size(), false).get(root);
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  return error;
}

const char *reason_of(simdjson::error_code error) {
  switch (error) {
    case simdjson::EMPTY:
      return "it is empty";
    case simdjson::UTF8_ERROR:
      return "it is not UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string is not closed";
    case simdjson::UNESCAPED_CHARS:
      return "a string holds a control character";
    case simdjson::STRING_ERROR:
      return "a string holds a bad escape";
    case simdjson::NUMBER_ERROR:
      return "a number is malformed or too large";
    case simdjson::DEPTH_ERROR:
      return "it is nested too deeply";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "there is a word other than true, false and null";
    default:
      return "a bracket, comma, colon or value is missing or misplaced";
  }
}

}  // namespace fleetauth::json
