#include "core/base/json.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/base/json_strict.h"

namespace fleetauth::json {
namespace {

namespace dom = simdjson::dom;

static_assert(sizeof(dom::element) == 2 * sizeof(void *) && std::is_trivially_copyable_v<dom::element>);

dom::element element_of(const void *const (&stored)[2]) {
  dom::element element;
  std::memcpy(static_cast<void *>(&element), stored, sizeof element);
  return element;
}

// Whether a name occurs twice in an object anywhere below. Compares the names as they are after their escapes are resolved.
// The recursion ends at the parser's depth limit.
bool has_duplicate_names(dom::element element, std::vector<std::string_view> &names) {
  dom::array array;
  if (element.get(array) == simdjson::SUCCESS) {
    return std::any_of(array.begin(), array.end(), [&](dom::element item) { return has_duplicate_names(item, names); });
  }
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return false;
  names.clear();
  for (const dom::key_value_pair member : object) names.push_back(member.key);
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end()) return true;
  return std::any_of(object.begin(), object.end(), [&](dom::key_value_pair member) { return has_duplicate_names(member.value, names); });
}

}  // namespace

// ---------------------------------------------------------------- Node, Document

Node Node::of(const void *element) {
  Node node;
  std::memcpy(node.element_, element, sizeof node.element_);
  return node;
}

std::optional<Node> Node::find(std::string_view pointer) const {
  dom::element element;
  if (element_of(element_).at_pointer(pointer).get(element) != simdjson::SUCCESS) return std::nullopt;
  return of(static_cast<const void *>(&element));
}

std::vector<Node> Node::items() const {
  std::vector<Node> out;
  dom::array array;
  if (element_of(element_).get(array) != simdjson::SUCCESS) return out;
  for (const dom::element item : array) out.push_back(of(static_cast<const void *>(&item)));
  return out;
}

Type Node::type() const {
  switch (element_of(element_).type()) {
    case dom::element_type::ARRAY:
      return Type::Array;
    case dom::element_type::OBJECT:
      return Type::Object;
    case dom::element_type::INT64:
      return Type::Integer;
    case dom::element_type::UINT64:  // above INT64_MAX: not one of our integers
    case dom::element_type::DOUBLE:
      return Type::Number;
    case dom::element_type::STRING:
      return Type::String;
    case dom::element_type::BOOL:
      return Type::Boolean;
    case dom::element_type::NULL_VALUE:
      break;
  }
  return Type::Null;
}

std::optional<std::string_view> Node::text() const {
  std::string_view value;
  if (element_of(element_).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::int64_t> Node::integer() const {
  std::int64_t value = 0;
  if (element_of(element_).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<double> Node::number() const {
  double value = 0;
  if (element_of(element_).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<bool> Node::boolean() const {
  bool value = false;
  if (element_of(element_).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

struct Document::Impl {
  StrictParser strict;
};

Document::Document(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Document::Document(Document &&) noexcept = default;
Document &Document::operator=(Document &&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(const SecretBytes &text) {
  auto impl = std::make_unique<Impl>();
  if (const auto error = impl->strict.parse(text.view()); error != simdjson::SUCCESS) {
    return fail(Status::Protocol, std::string("the answer is not valid JSON: ") + reason_of(error));
  }
  std::vector<std::string_view> names;
  if (has_duplicate_names(impl->strict.root, names)) {
    return fail(Status::Protocol, "the answer is ambiguous JSON: an object has two members of the same name");
  }
  return Document(std::move(impl));
}

Result<Document> Document::parse(std::string_view text, std::string_view source, Status status) {
  auto impl = std::make_unique<Impl>();
  if (const auto error = impl->strict.parse(text); error != simdjson::SUCCESS) {
    const std::size_t line = line_of_problem(text);
    const std::string where = line == 0 ? std::string(source) : std::string(source) + ":" + std::to_string(line);
    return fail(status, where + ": not valid JSON: " + reason_of(error));
  }
  std::vector<std::string_view> names;
  if (has_duplicate_names(impl->strict.root, names)) {
    return fail(status, std::string(source) + ": not valid JSON: an object has two members of the same name");
  }
  return Document(std::move(impl));
}

Node Document::root() const { return Node::of(static_cast<const void *>(&impl_->strict.root)); }

// ---------------------------------------------------------------- writing

void append_string(SecretBytes &out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.reserve(out.size() + text.size() + 2);
  out.append("\"");
  std::size_t plain = 0;  // where the stretch that needs no escape began
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(plain, i - plain));
    plain = i + 1;
    switch (c) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\b':
        out.append("\\b");
        break;
      case '\f':
        out.append("\\f");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      default: {
        const char escape[6] = {'\\', 'u', '0', '0', kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15]};
        out.append({escape, sizeof escape});
      }
    }
  }
  out.append(text.substr(plain));
  out.append("\"");
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace fleetauth::json
