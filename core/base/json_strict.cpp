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
  // No more than that: what is wiped for the first time takes memory. A token is at most a number, a string has a length and an end.
  const std::size_t tokens = parser_.implementation->n_structural_indexes;
  const std::size_t strings = std::min(5 * capacity / 3, padded_.size() + 5 * tokens);
  os::wipe(parser_.doc.string_buf.get(), strings + simdjson::SIMDJSON_PADDING);
  os::wipe(parser_.doc.tape.get(), std::min(capacity + 3, 2 * tokens + 3) * sizeof(std::uint64_t));
}

namespace {

// Of JSON text it is right; of any other it may say one or the other.
bool is_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') in_string = !in_string;
    if (in_string) {
      if (c == '\\') ++i;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

simdjson::error_code StrictParser::parse(std::string_view text) {
  // The parser counts too, but only after it has noted where every bracket is, which takes many times the text.
  if (is_too_deep(text)) return simdjson::DEPTH_ERROR;
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
