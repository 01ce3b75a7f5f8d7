#include "core/provider/lint.h"

#include <algorithm>

#include "core/base/redact.h"
#include "core/base/text.h"

namespace fleetauth::provider::lint {
namespace {

// Whatever an author wrote, a message stays one line.
void append_printable(std::string &out, std::string_view text) {
  for (const char c : text) out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c);
}

std::string pointer_token(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string_view type_name(json::Type type) {
  switch (type) {
    case json::Type::Null:
      return "null";
    case json::Type::Boolean:
      return "a boolean";
    case json::Type::Integer:
      return "an integer";
    case json::Type::Number:
      return "a number";
    case json::Type::String:
      return "a string";
    case json::Type::Array:
      return "an array";
    case json::Type::Object:
      return "an object";
  }
  return "something else";
}

std::string wrong_type(std::string_view wanted, json::Type found) {
  return "must be " + std::string(wanted) + ", not " + std::string(type_name(found));
}

}  // namespace

void Problems::add(std::size_t line, std::string_view pointer, std::string_view what) {
  if (++count_ > kMax) return;
  if (!text_.empty()) text_.push_back('\n');
  append_printable(text_, source_);
  if (line != 0) text_ += ":" + std::to_string(line);
  text_ += ": ";
  if (!pointer.empty()) {
    append_printable(text_, pointer);
    text_ += ": ";
  }
  append_printable(text_, what);
}

ErrorPtr Problems::error() const {
  if (count_ <= kMax) return fail(Status::Descriptor, text_);
  return fail(Status::Descriptor, text_ + "\nand " + std::to_string(count_ - kMax) + " more");
}

Place Place::member(std::string_view name, const json::Value &value) const {
  return Place(value, pointer_ + "/" + pointer_token(name), *problems_);
}

Place Place::item(std::size_t index) const { return Place(value_->items[index], pointer_ + "/" + std::to_string(index), *problems_); }

std::string Place::text(std::size_t max_size) const {
  if (value_->type != json::Type::String) {
    complain(wrong_type("a string", value_->type));
    return {};
  }
  if (value_->text.empty()) complain("must not be empty");
  if (value_->text.size() > max_size) complain("must have at most " + std::to_string(max_size) + " bytes");
  return value_->text;
}

std::int64_t Place::integer(std::int64_t min, std::int64_t max) const {
  if (value_->type != json::Type::Integer) {
    complain(wrong_type("an integer", value_->type));
    return min;
  }
  if (value_->integer < min || value_->integer > max) {
    complain("must be from " + std::to_string(min) + " to " + std::to_string(max));
    return min;
  }
  return value_->integer;
}

bool Place::boolean() const {
  if (value_->type != json::Type::Boolean) complain(wrong_type("true or false", value_->type));
  return value_->boolean;
}

std::vector<Place> Place::items(std::size_t max) const {
  std::vector<Place> out;
  if (value_->type != json::Type::Array) {
    complain(wrong_type("an array", value_->type));
    return out;
  }
  if (value_->items.empty()) complain("must have at least one item");
  if (value_->items.size() > max) {
    complain("must have at most " + std::to_string(max) + " items");
    return out;
  }
  for (std::size_t i = 0; i < value_->items.size(); ++i) out.push_back(item(i));
  return out;
}

std::vector<std::pair<std::string, Place>> Place::members(std::size_t max) const {
  std::vector<std::pair<std::string, Place>> out;
  if (value_->type != json::Type::Object) {
    complain(wrong_type("an object", value_->type));
    return out;
  }
  if (value_->members.size() > max) {
    complain("must have at most " + std::to_string(max) + " members");
    return out;
  }
  for (const auto &[name, value] : value_->members) out.emplace_back(name, member(name, value));
  return out;
}

std::size_t Place::choice(const std::vector<std::string_view> &words) const {
  if (value_->type == json::Type::String) {
    const auto found = std::find(words.begin(), words.end(), value_->text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  }
  complain("must be " + alternatives(words));
  return 0;
}

Fields::Fields(const Place &place, std::vector<std::string_view> known) : place_(place) {
  for (const auto &[name, member] : place.members(1000)) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      member.complain("unknown member " + quoted_with_hint(name, known) + "; expected " + alternatives(known));
    }
  }
}

const json::Value *Fields::find(std::string_view name) const {
  return place_.value().type == json::Type::Object ? place_.value().member(name) : nullptr;
}

Place Fields::at(std::string_view name) const { return place_.member(name, *find(name)); }

bool Fields::require(std::string_view name) const {
  if (has(name)) return true;
  if (place_.value().type == json::Type::Object) place_.complain("member \"" + std::string(name) + "\" is missing");
  return false;
}

std::string alternatives(const std::vector<std::string_view> &words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) out += i + 1 == words.size() ? " or " : ", ";
    out += "\"" + std::string(words[i]) + "\"";
  }
  return out;
}

std::string quoted_with_hint(std::string_view name, const std::vector<std::string_view> &known) {
  std::string out = "\"" + redact::printable(name) + "\"";
  if (const auto near = text::nearest(name, known)) out += " (did you mean \"" + std::string(*near) + "\"?)";
  return out;
}

}  // namespace fleetauth::provider::lint
