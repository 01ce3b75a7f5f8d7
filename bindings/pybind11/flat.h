#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "fleetauth/fleetauth.h"

// What the generated flat layer (gen/) is made of: handles that release themselves, arguments, results, errors.
namespace fleetauth::python {

namespace py = pybind11;
using namespace pybind11::literals;

/// One reference to a native object. Python's own reference keeps it for as long as a call uses it.
template <class NativeType, auto Unref>
class Handle {
 public:
  using Native = NativeType;
  explicit Handle(Native *native) noexcept : native_(native) {}
  ~Handle() { Unref(native_); }
  Handle(const Handle &) = delete;
  Handle &operator=(const Handle &) = delete;
  [[nodiscard]] Native *get() const noexcept { return native_; }

  // pybind11 allocates what cls.__new__(cls) made without __init__ when it is first used: as zeros, it is a NULL to every function.
  static void *operator new(std::size_t size) { return std::memset(::operator new(size), 0, size); }
  static void operator delete(void *memory) noexcept { ::operator delete(memory); }

 private:
  Native *native_;
};

template <class Native, auto Unref>
Native *native(const Handle<Native, Unref> &handle) noexcept {
  return handle.get();
}

template <class Native, auto Unref>
Native *native(const Handle<Native, Unref> *handle) noexcept {
  return handle != nullptr ? handle->get() : nullptr;
}

// ---- arguments

/// A str as UTF-8, kept by the str itself. With a third argument None is NULL.
class Text {
 public:
  Text(const py::object &value, const char *name) { read(value, name); }
  Text(const py::object &value, const char *name, std::nullptr_t) {
    if (!value.is_none()) read(value, name);
  }
  [[nodiscard]] const char *data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(size_); }

 private:
  void read(const py::object &value, const char *name);

  const char *data_ = nullptr;
  Py_ssize_t size_ = 0;
};

/// Anything with the buffer protocol, locked against resizing while the call reads it.
class Bytes {
 public:
  Bytes(const py::object &value, const char *name);
  ~Bytes() { PyBuffer_Release(&buffer_); }
  Bytes(const Bytes &) = delete;
  Bytes &operator=(const Bytes &) = delete;
  [[nodiscard]] const std::uint8_t *data() const noexcept { return static_cast<const std::uint8_t *>(buffer_.buf); }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(buffer_.len); }

 private:
  Py_buffer buffer_{};
};

std::int64_t integer_between(const py::object &value, const char *name, std::int64_t min, std::int64_t max);

template <class Integer>
Integer integer(const py::object &value, const char *name) {
  using Limits = std::numeric_limits<Integer>;
  return static_cast<Integer>(integer_between(value, name, Limits::min(), Limits::max()));
}

// ---- calls and their results

enum class Gil { Held, Released };

/// Raises what fleetauth._error makes of the error; takes it over.
[[noreturn]] void raise(fleetauth_status status, fleetauth_error *error);
/// The flat Error that owns `error`. Defined by the generated code.
py::object wrap_error(fleetauth_error *error);

/// Waits for the lock; for ever, if the interpreter is ending.
void take_gil_back(PyThreadState *state);

template <Gil gil, class Function, class... Arguments>
auto invoke(Function function, Arguments... arguments) {
  if constexpr (gil == Gil::Held) return function(arguments...);
  PyThreadState *const state = PyEval_SaveThread();
  const auto result = function(arguments...);
  take_gil_back(state);
  return result;
}

template <Gil gil, class Function, class... Arguments>
void check(Function function, Arguments... arguments) {
  fleetauth_error *error = nullptr;
  const fleetauth_status status = invoke<gil>(function, arguments..., &error);
  if (status != FLEETAUTH_OK) raise(status, error);
}

template <class Result, Gil gil, class Function, class... Arguments>
std::unique_ptr<Result> make(Function function, Arguments... arguments) {
  typename Result::Native *out = nullptr;
  check<gil>(function, arguments..., &out);
  return std::make_unique<Result>(out);
}

/// The same, with None where memory has no answer.
template <class Result, Gil gil, class Function, class... Arguments>
std::unique_ptr<Result> make_or_none(Function function, Arguments... arguments) {
  typename Result::Native *out = nullptr;
  fleetauth_error *error = nullptr;
  const fleetauth_status status = invoke<gil>(function, arguments..., &out, &error);
  if (status == FLEETAUTH_OK) return std::make_unique<Result>(out);
  if (status != FLEETAUTH_E_WOULD_BLOCK) raise(status, error);
  fleetauth_error_unref(error);
  return nullptr;
}

template <class Integer, Gil gil, class Function, class... Arguments>
Integer number(Function function, Arguments... arguments) {
  Integer out = 0;
  check<gil>(function, arguments..., &out);
  return out;
}

/// For functions without a status.
template <class Function, class... Arguments>
auto plain(Function function, Arguments... arguments) {
  return function(arguments...);
}

/// Borrowed text as a str; None for NULL.
template <class Function, class... Arguments>
py::object text(Function function, Arguments... arguments) {
  std::size_t size = 0;
  const char *data = function(arguments..., &size);
  return data != nullptr ? py::object(py::str(data, size)) : py::none();
}

/// Borrowed bytes as a copy of their own.
template <class Function, class... Arguments>
py::bytes bytes(Function function, Arguments... arguments) {
  std::size_t size = 0;
  const std::uint8_t *data = function(arguments..., &size);
  return {reinterpret_cast<const char *>(data), data != nullptr ? size : 0};
}

/// Memory that changes and is never freed, to be looked at; None for NULL.
template <class Function, class... Arguments>
py::object shared(Function function, Arguments... arguments) {
  std::size_t size = 0;
  const std::uint8_t *data = function(arguments..., &size);
  return data != nullptr ? py::object(py::memoryview::from_memory(data, static_cast<py::ssize_t>(size))) : py::none();
}

inline void constant(py::module_ &module, const char *name, std::int64_t number) { module.attr(name) = number; }

// ---- classes

/// Raises a TypeError that names types alone: what pybind11 says about arguments it cannot convert shows all of them.
[[noreturn]] void refuse(const char *function, const py::args &arguments, const py::kwargs &named);

/// A class whose functions refuse what does not fit them without showing it: after each stands one that takes anything. Handles that may be
/// None are therefore optionals: as pointers they would be None only for functions that nothing stands after.
template <class Type>
class Class : public py::class_<Type> {
 public:
  using Base = py::class_<Type>;
  using Base::Base;

  template <class Function, class... Names>
  Class &def(const char *name, Function function, const Names &...names) {
    Base::def(name, function, names...);
    Base::def(name, [name](const py::args &arguments, const py::kwargs &named) { refuse(name, arguments, named); });
    return *this;
  }
  template <class... Init, class... Names>
  Class &def(py::detail::initimpl::factory<Init...> &&init, const Names &...names) {
    Base::def(std::move(init), names...);
    Base::def(py::init(
        [](const py::args &arguments, const py::kwargs &named) -> std::unique_ptr<Type> { refuse("__init__", arguments, named); }));
    return *this;
  }
  template <class Function, class... Names>
  Class &def_static(const char *name, Function function, const Names &...names) {
    Base::def_static(name, function, names...);
    Base::def_static(name, [name](const py::args &arguments, const py::kwargs &named) { refuse(name, arguments, named); });
    return *this;
  }
  template <class Getter>
  Class &def_property_readonly(const char *name, Getter getter) {
    Base::def_property_readonly(name, getter);
    return *this;
  }
};

// ---- the generated part

/// The checksum of the description that the flat layer was made from.
std::int64_t flat_checksum();
void bind_flat(py::module_ &module);

}  // namespace fleetauth::python
