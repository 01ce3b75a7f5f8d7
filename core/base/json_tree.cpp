#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/json_strict.h"
#include "core/base/redact.h"

namespace fleetauth::json {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;
using simdjson::SUCCESS;

struct Problem {
  std::size_t line = 0;
  std::string what;
};

// Turns a text into a tree, reading from front to back so that line numbers cost nothing. It reads what the strict parser
// accepted; of a text that was refused it only says where it stumbles.
class TreeReader {
 public:
  explicit TreeReader(std::string_view text) : text_(text), padded_(text), unescaped_(text.size() + simdjson::SIMDJSON_PADDING) {
    padded_.append(simdjson::SIMDJSON_PADDING, '\0');
  }

  std::optional<Problem> read(Value &root) {
    ondemand::document document;
    error_code error = parser_.allocate(text_.size(), kMaxDepth);
    if (error == SUCCESS) error = parser_.iterate(padded_.data(), text_.size(), padded_.size()).get(document);
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    if (error != SUCCESS) return Problem{line_of_bad_text(), reason_of(error)};

    ondemand::value top;
    error = document.get_value().get(top);
    if (error == simdjson::SCALAR_DOCUMENT_AS_VALUE) return Problem{1, "an object is expected"};
    if (error == SUCCESS) error = read_value(top, root);
    if (error != SUCCESS) {
      const char *where = nullptr;
      if (document.current_location().get(where) == SUCCESS) advance_to(where);
      return Problem{line_, reason_of(error)};
    }
    return duplicate_;
  }

 private:
  void advance_to(const char *place) {
    const auto at = std::min(static_cast<std::size_t>(place - padded_.data()), text_.size());
    for (; position_ < at; ++position_) line_ += text_[position_] == '\n' ? 1 : 0;
  }

  // The first line that is not UTF-8 or leaves a string open: a string cannot go on in the next line.
  [[nodiscard]] std::size_t line_of_bad_text() const {
    std::size_t line = 1;
    for (std::string_view rest = text_; !rest.empty(); ++line) {
      const std::string_view current = rest.substr(0, rest.find('\n'));
      bool in_string = false;
      for (std::size_t i = 0; i < current.size(); ++i) {
        if (current[i] == '"') in_string = !in_string;
        if (current[i] == '\\' && in_string) ++i;
      }
      if (in_string || !is_utf8(current)) return line;
      rest.remove_prefix(std::min(current.size() + 1, rest.size()));
    }
    return 1;
  }

  error_code read_value(ondemand::value from, Value &into) {
    advance_to(from.raw_json_token().data());
    into.line = line_;
    ondemand::json_type type{};
    if (const auto error = from.type().get(type)) return error;
    switch (type) {
      case ondemand::json_type::object:
      case ondemand::json_type::array: {
        // A text that the strict parser refused may be as deep as it is long, and this one does not count.
        if (depth_ == kMaxDepth) return simdjson::DEPTH_ERROR;
        ++depth_;
        const auto error = type == ondemand::json_type::object ? read_object(from, into) : read_array(from, into);
        --depth_;
        return error;
      }
      case ondemand::json_type::number:
        return read_number(from, into);
      case ondemand::json_type::string:
        return read_string(from, into);
      case ondemand::json_type::boolean:
        into.type = Type::Boolean;
        return from.get_bool().get(into.boolean);
      case ondemand::json_type::null:
        break;
    }
    bool is_null = false;
    if (const auto error = from.is_null().get(is_null)) return error;
    return is_null ? SUCCESS : simdjson::N_ATOM_ERROR;
  }

  error_code read_string(ondemand::value from, Value &into) {
    into.type = Type::String;
    ondemand::raw_json_string raw;
    if (const auto error = from.get_raw_json_string().get(raw)) return error;
    return unescape(raw, into.text);
  }

  // Not into the parser's buffer: without memory it has none and does not say so.
  error_code unescape(ondemand::raw_json_string raw, std::string &into) {
    std::uint8_t *end = unescaped_.data();
    std::string_view text;
    if (const auto error = parser_.unescape(raw, end).get(text)) return error;
    into = text;
    return SUCCESS;
  }

  static error_code read_number(ondemand::value from, Value &into) {
    ondemand::number number;
    if (const auto error = from.get_number().get(number)) return error;
    into.type = number.is_int64() ? Type::Integer : Type::Number;
    into.number = number.as_double();
    if (number.is_int64()) into.integer = number.get_int64();
    return SUCCESS;
  }

  error_code read_array(ondemand::value from, Value &into) {
    into.type = Type::Array;
    ondemand::array array;
    if (const auto error = from.get_array().get(array)) return error;
    for (auto item : array) {
      ondemand::value value;
      if (const auto error = item.get(value)) return error;
      if (const auto error = read_value(value, into.items.emplace_back())) return error;
    }
    return SUCCESS;
  }

  error_code read_object(ondemand::value from, Value &into) {
    into.type = Type::Object;
    ondemand::object object;
    if (const auto error = from.get_object().get(object)) return error;
    for (auto entry : object) {
      ondemand::field field;
      if (const auto error = std::move(entry).get(field)) return error;
      std::string name;
      if (const auto error = unescape(field.key(), name)) return error;
      Value &member = into.members.emplace_back(std::move(name), Value{}).second;
      if (const auto error = read_value(field.value(), member)) return error;
      note_duplicate(into);
    }
    return SUCCESS;
  }

  // The newest member against the older ones; the first duplicate of the text is kept.
  void note_duplicate(const Value &object) {
    const auto newest = object.members.end() - 1;
    const auto older = std::find_if(object.members.begin(), newest, [&](const auto &member) { return member.first == newest->first; });
    if (duplicate_ || older == newest) return;
    duplicate_ = Problem{newest->second.line, "the member \"" + redact::printable(newest->first) + "\" was given before, in line " +
                                                  std::to_string(older->second.line)};
  }

  std::string_view text_;
  std::string padded_;
  std::vector<std::uint8_t> unescaped_;
  ondemand::parser parser_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
  std::size_t depth_ = 0;
  std::optional<Problem> duplicate_;
};

void forget_lines(Value &value) {
  value.line = 0;
  for (Value &item : value.items) forget_lines(item);
  for (auto &member : value.members) forget_lines(member.second);
}

template <class Number>
void append_number(SecretBytes &out, Number number) {
  char digits[32];
  const char *end = std::to_chars(digits, std::end(digits), number).ptr;
  out.append({digits, static_cast<std::size_t>(end - digits)});
}

// Always such that it is read as a number again and not as an integer that is too large, or as the integer 0.
void append_double(SecretBytes &out, double number) {
  if (std::abs(number) < 0x1p63) return append_number(out, number == 0 ? 0.0 : number);
  char digits[32];
  const char *end = std::to_chars(digits, std::end(digits), number, std::chars_format::scientific).ptr;
  out.append({digits, static_cast<std::size_t>(end - digits)});
}

void append_text(SecretBytes &out, const Value &value) {
  bool first = true;
  const auto separate = [&] {
    if (!std::exchange(first, false)) out.append(",");
  };
  switch (value.type) {
    case Type::Null:
      return out.append("null");
    case Type::Boolean:
      return out.append(value.boolean ? "true" : "false");
    case Type::Integer:
      return append_number(out, value.integer);
    case Type::Number:
      return append_double(out, value.number);
    case Type::String:
      return append_string(out, value.text);
    case Type::Array:
      out.append("[");
      for (const Value &item : value.items) {
        separate();
        append_text(out, item);
      }
      return out.append("]");
    case Type::Object:
      out.append("{");
      for (const auto &[name, member] : value.members) {
        separate();
        append_string(out, name);
        out.append(":");
        append_text(out, member);
      }
      return out.append("}");
  }
}

}  // namespace

const Value *Value::member(std::string_view name) const {
  for (const auto &[member_name, value] : members) {
    if (member_name == name) return &value;
  }
  return nullptr;
}

Result<Value> parse_tree(std::string_view text, std::string_view source, Status status) {
  StrictParser strict;
  const error_code error = strict.parse(text);
  Value root;
  auto problem = TreeReader(text).read(root);
  if (error != SUCCESS && !problem) problem = Problem{1, reason_of(error)};
  if (!problem) return root;
  return fail(status, redact::printable(source) + ":" + std::to_string(problem->line) + ": not valid JSON: " + problem->what);
}

Value::Value() = default;
Value::Value(const Value &other) = default;
Value::Value(Value &&other) noexcept = default;
Value &Value::operator=(const Value &other) = default;
Value &Value::operator=(Value &&other) noexcept = default;
Value::~Value() = default;

Value merge_patch(Value target, const Value &patch) {
  if (patch.type != Type::Object) {
    Value replaced = patch;
    forget_lines(replaced);
    return replaced;
  }
  if (target.type != Type::Object) {
    target = Value{};
    target.type = Type::Object;
  }
  for (const auto &[name, change] : patch.members) {
    const auto at =
        std::find_if(target.members.begin(), target.members.end(), [&wanted = name](const auto &member) { return member.first == wanted; });
    if (change.type == Type::Null) {
      if (at != target.members.end()) target.members.erase(at);
    } else if (at != target.members.end()) {
      at->second = merge_patch(std::move(at->second), change);
    } else {
      target.members.emplace_back(name, merge_patch(Value{}, change));
    }
  }
  return target;
}

std::string to_text(const Value &value) {
  SecretBytes out;
  append_text(out, value);
  return std::string(out.view());
}

}  // namespace fleetauth::json
