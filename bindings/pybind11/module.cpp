#include <cxxabi.h>
#include <unistd.h>

#include <string>

#include "bindings/pybind11/flat.h"

namespace fleetauth::python {

void Text::read(const py::object &value, const char *name) {
  if (!PyUnicode_Check(value.ptr())) {
    throw py::type_error(std::string(name) + " must be str, not " + Py_TYPE(value.ptr())->tp_name);
  }
  data_ = PyUnicode_AsUTF8AndSize(value.ptr(), &size_);
  if (data_ != nullptr) return;
  // Python's own error holds the whole text.
  PyErr_Clear();
  throw py::value_error(std::string(name) + " must be text that can be encoded as UTF-8");
}

Bytes::Bytes(const py::object &value, const char *name) {
  if (!PyObject_CheckBuffer(value.ptr())) {
    throw py::type_error(std::string(name) + " must be bytes, not " + Py_TYPE(value.ptr())->tp_name);
  }
  if (PyObject_GetBuffer(value.ptr(), &buffer_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
}

std::int64_t integer_between(const py::object &value, const char *name, std::int64_t min, std::int64_t max) {
  if (!PyLong_Check(value.ptr())) {
    throw py::type_error(std::string(name) + " must be int, not " + Py_TYPE(value.ptr())->tp_name);
  }
  int overflow = 0;
  const std::int64_t number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
  if (overflow != 0 || number < min || number > max) {
    throw py::value_error(std::string(name) + " must be from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return number;
}

void refuse(const char *function, const py::args &arguments, const py::kwargs &named) {
  std::string types;
  const auto add = [&](const std::string &name, const py::handle &value) {
    types += (types.empty() ? "" : ", ") + name + Py_TYPE(value.ptr())->tp_name;
  };
  for (const py::handle &argument : arguments) add("", argument);
  for (const auto &[name, argument] : named) add(py::str(name).cast<std::string>() + ": ", argument);
  throw py::type_error(std::string(function) + "() does not take (" + types + ")");
}

void take_gil_back(PyThreadState *state) {
  try {
    PyEval_RestoreThread(state);
  } catch (abi::__forced_unwind &) {
    // An interpreter that ends has threads which come back unwind, here through frames that would touch its objects, or would
    // terminate the process. From 3.14 on it stops such threads itself, as is done here.
    for (;;) pause();
  }
}

void raise(fleetauth_status status, fleetauth_error *error) {
  const py::object details = error != nullptr ? wrap_error(error) : py::none();
  const py::object raised = py::module_::import("fleetauth._error").attr("from_native")(status, details);
  PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(raised.ptr())), raised.ptr());
  throw py::error_already_set();
}

}  // namespace fleetauth::python

PYBIND11_MODULE(_native, module) {
  namespace py = pybind11;
  if (fleetauth_api_checksum() != fleetauth::python::flat_checksum()) {
    throw py::import_error("fleetauth._native was generated from another API description than the core inside it: build it again");
  }
  py::options options;
  options.disable_function_signatures();
  fleetauth::python::bind_flat(module);
}
