"""library_test.py LIBRARY: it is made from the description that is here, and knows its statuses by name."""

import ctypes
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings/generator"))

from load import load  # noqa: E402

MODEL = load(ROOT)
LIBRARY: ctypes.CDLL


class LibraryTest(unittest.TestCase):
    def test_the_library_is_made_from_this_description(self) -> None:
        checksum = LIBRARY.fleetauth_api_checksum
        checksum.restype = ctypes.c_int64
        self.assertEqual(checksum(), MODEL.checksum)

    def test_the_names_of_statuses(self) -> None:
        name = LIBRARY.fleetauth_status_name
        name.argtypes, name.restype = [ctypes.c_int32, ctypes.c_void_p], ctypes.c_char_p
        for status in MODEL.statuses:
            self.assertEqual(name(status.number, None), status.name.encode())
        for number in (-1, max(status.number for status in MODEL.statuses) + 1):
            self.assertEqual(name(number, None), b"E_UNKNOWN")


if __name__ == "__main__":
    LIBRARY = ctypes.CDLL(sys.argv.pop(1))
    unittest.main()
