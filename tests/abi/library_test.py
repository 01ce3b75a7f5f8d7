"""arguments_test.py LIBRARY: every function of the C interface, called with nothing, says so and does not crash (P18)."""

import ctypes
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings/generator"))

from load import load  # noqa: E402
from model import Function  # noqa: E402

MODEL = load(ROOT)
STATUS = {status.name: status.number for status in MODEL.statuses}
INVALID_ARGUMENT = STATUS["E_INVALID_ARGUMENT"]
C_TYPES = {
    "int32_t": ctypes.c_int32,
    "int64_t": ctypes.c_int64,
    "size_t": ctypes.c_size_t,
    "fleetauth_status": ctypes.c_int32,
    "void": None,
}
LIBRARY: ctypes.CDLL


def c_type(name: str) -> type | None:
    return ctypes.c_char_p if name == "const char *" else C_TYPES.get(name, ctypes.c_void_p)


def needs_something(function: Function) -> bool:
    """Whether calling it with NULL and 0 alone is a mistake."""
    return any((p.kind == "handle" and not p.nullable) or p.is_out for p in function.params)


def call(function: Function, **given: object) -> object:
    """Calls it with NULL and 0 for whatever is not given."""
    entry = LIBRARY[function.symbol]
    entry.argtypes = [c_type(kind) for kind, _ in function.c_params]
    entry.restype = c_type(function.c_returns)
    return entry(
        *(
            given.get(name, None if argtype in (ctypes.c_void_p, ctypes.c_char_p) else 0)
            for (_, name), argtype in zip(function.c_params, entry.argtypes, strict=True)
        )
    )


def described(name: str) -> Function:
    return next(f for f in MODEL.functions if f.name == name)


def take_message(error: ctypes.c_void_p) -> str:
    message = call(described("error_message"), error=error)
    unref = LIBRARY["fleetauth_error_unref"]
    unref.argtypes = [ctypes.c_void_p]
    unref(error)
    assert isinstance(message, bytes)
    return message.decode()


class ArgumentsTest(unittest.TestCase):
    def test_P18_null_for_every_pointer(self) -> None:
        for function in MODEL.functions:
            if not needs_something(function):
                continue
            with self.subTest(function.name):
                result = call(function)
                if function.returns == "status":
                    self.assertEqual(result, INVALID_ARGUMENT)
                else:
                    expected = {"text": b"", "bytes": None, "void": None}.get(function.returns, function.fallback)
                    self.assertEqual(result, expected)

    def test_P18_the_error_names_function_and_parameter(self) -> None:
        for function in MODEL.functions:
            if not (function.error and needs_something(function)):
                continue
            with self.subTest(function.name):
                error = ctypes.c_void_p()
                self.assertEqual(call(function, err=ctypes.byref(error)), INVALID_ARGUMENT)
                message = take_message(error)
                named = [f"{function.name}: {p.name} " for p in function.params]
                self.assertTrue(message.startswith(tuple(named)), message)

    def test_P18_null_handles_can_be_counted(self) -> None:
        for handle in MODEL.handles:
            ref, unref = LIBRARY[f"{handle.c_type}_ref"], LIBRARY[f"{handle.c_type}_unref"]
            ref.argtypes = unref.argtypes = [ctypes.c_void_p]
            ref.restype, unref.restype = ctypes.c_void_p, None
            with self.subTest(handle.name):
                self.assertIsNone(ref(None))
                self.assertIsNone(unref(None))

    def test_P18_text_must_be_utf8_of_a_sensible_length(self) -> None:
        builtin = described("provider_builtin")
        for text, length, problem in ((b"\xff", 1, "UTF-8"), (b"\xc0\x80", 2, "UTF-8"), (b"\xed\xa0\x80", 3, "UTF-8"),
                                      (b"x", 2**63, "length"), (None, 3, "NULL")):  # fmt: skip
            with self.subTest(text=text, length=length):
                error, out = ctypes.c_void_p(), ctypes.c_void_p(1)
                status = call(builtin, name=text, name_len=length, out=ctypes.byref(out), err=ctypes.byref(error))
                self.assertEqual(status, INVALID_ARGUMENT)
                self.assertIsNone(out.value, "an out-parameter is NULL after a failure")
                self.assertIn(problem, take_message(error))

    def test_P18_failures_leave_no_handle_behind(self) -> None:
        live = described("live_handles")
        before = call(live)
        self.test_P18_null_for_every_pointer()
        self.test_P18_the_error_names_function_and_parameter()
        self.assertEqual(call(live), before)

    def test_the_library_is_made_from_this_description(self) -> None:
        self.assertEqual(call(described("api_checksum")), MODEL.checksum)

    def test_the_names_of_statuses(self) -> None:
        name = described("status_name")
        for status in MODEL.statuses:
            self.assertEqual(call(name, status=status.number), status.name.encode())
        self.assertEqual(call(name, status=max(STATUS.values()) + 1), b"E_UNKNOWN")
        self.assertEqual(call(name, status=-1), b"E_UNKNOWN")


if __name__ == "__main__":
    LIBRARY = ctypes.CDLL(sys.argv.pop(1))
    unittest.main()
