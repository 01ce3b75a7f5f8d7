#pragma once

#include <fleetauth/fleetauth.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

/// The C interface as a table: what each function takes, and how to call it with arguments made at run time.
namespace capi {

/// An argument or a result: a number, or a pointer of any type.
using Word = std::uint64_t;

template <class T>
Word to_word(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<Word>(value);
  } else {
    return static_cast<Word>(value);
  }
}

template <class T>
T from_word(Word word) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<T>(word);
  } else {
    return static_cast<T>(word);
  }
}

template <class R, class... A, std::size_t... I>
Word apply(R (*function)(A...) noexcept, [[maybe_unused]] const Word *words, std::index_sequence<I...>) {
  if constexpr (std::is_void_v<R>) {
    function(from_word<A>(words[I])...);
    return 0;
  } else {
    return to_word(function(from_word<A>(words[I])...));
  }
}

template <class R, class... A>
Word apply(R (*function)(A...) noexcept, const Word *words) {
  return apply(function, words, std::index_sequence_for<A...>());
}

/// Calls the function with one word for each of its arguments.
template <auto function>
Word call(const Word *words) {
  return apply(function, words);
}

/// Of a parameter in the description; some are several arguments in C, in this order: (data, length), (data, capacity, length), (function,
/// data).
enum class Kind { Handle, Text, Bytes, I32, I64, Buffer, Wakeup, OutHandle, OutI32, OutI64, OutLength, OutError };
enum class Returns { Status, Void, I32, I64, Text, Bytes };

struct ParamRow {
  Kind kind;
  const char *name;
  const char *handle = "";  ///< its type, of Handle and OutHandle
  bool nullable = false;
  std::vector<std::int32_t> numbers = {};  ///< those that an enumeration has
};

struct FunctionRow {
  const char *name;
  Word (*call)(const Word *);
  Returns returns;
  std::int64_t fallback;  ///< the number that is returned when there is none to tell
  std::vector<ParamRow> params;
};

struct HandleRow {
  const char *name;
  Word (*ref)(const Word *);
  Word (*unref)(const Word *);
};

}  // namespace capi
