#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/secret_bytes.h"

namespace fleetauth::json {

/// Depth accepted from anyone.
inline constexpr std::size_t kMaxDepth = 16;

// ---------------------------------------------------------------- answers from the network

enum class Type { Null, Boolean, Integer, Number, String, Array, Object };

/// A member of an untrusted document. Valid while its Document lives.
class Node {
 public:
  [[nodiscard]] Type type() const;
  /// The member at a JSON Pointer (RFC 6901) such as "/user/_id"; "" is the node itself.
  [[nodiscard]] std::optional<Node> find(std::string_view pointer) const;
  /// Of an array; empty for all else.
  [[nodiscard]] std::vector<Node> items() const;
  [[nodiscard]] std::optional<std::string_view> text() const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;  ///< whole numbers only, no strings
  [[nodiscard]] std::optional<double> number() const;         ///< any number
  [[nodiscard]] std::optional<bool> boolean() const;

 private:
  friend class Document;
  static Node of(const void *element);
  const void *element_[2] = {};  ///< the parser's own element, kept out of this header
};

/// A document that came from the network or holds secrets: strictly parsed, depth-limited, without duplicate names anywhere, wiped at
/// the end.
class Document {
 public:
  /// The error is E_PROTOCOL and never quotes the text.
  static Result<Document> parse(const SecretBytes &text);
  /// A text of an operator. The error names `source` and, where it is known, the line, is of `status` and never quotes the text.
  static Result<Document> parse(std::string_view text, std::string_view source, Status status);
  Document(Document &&) noexcept;
  Document &operator=(Document &&) noexcept;
  ~Document();

  [[nodiscard]] Node root() const;
  [[nodiscard]] std::optional<Node> find(std::string_view pointer) const { return root().find(pointer); }

 private:
  struct Impl;
  explicit Document(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// ---------------------------------------------------------------- trees of our own: descriptors and what is made from them

/// A JSON value that remembers where in its source it stood.
struct Value {
  // Defined where Value is complete: clang 14 cannot make them here, for they need a pair with a Value.
  Value();
  Value(const Value &other);
  Value(Value &&other) noexcept;
  Value &operator=(const Value &other);
  Value &operator=(Value &&other) noexcept;
  ~Value();

  Type type = Type::Null;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<Value> items;
  std::vector<std::pair<std::string, Value>> members;  ///< in the order of the source
  std::size_t line = 0;                                ///< 1-based; 0 = from a patch or made by code

  [[nodiscard]] const Value *member(std::string_view name) const;
};

/// Parses a text of ours or of an operator (a descriptor, a patch). The error names `source` and the line and is of `status`.
Result<Value> parse_tree(std::string_view text, std::string_view source, Status status);

/// RFC 7396.
Value merge_patch(Value target, const Value &patch);

/// Canonical text: members in their order, no white space, shortest numbers.
std::string to_text(const Value &value);

/// Appends `text`, which must be UTF-8, as a JSON string with its quotes. The output may hold secrets.
void append_string(SecretBytes &out, std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace fleetauth::json
