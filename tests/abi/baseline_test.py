"""capi/abi/baseline.sh lets additions pass and stops every other change."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CAPI = Path(__file__).resolve().parents[2] / "capi"


class BaselineTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for part in ("abi", "include"):
            shutil.copytree(CAPI / part, self.root / part)
        self.run_script("update", expected=0)

    def run_script(self, verb: str, expected: int) -> str:
        run = subprocess.run([self.root / "abi/baseline.sh", verb, self.root / "build"], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, expected, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text("utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new), "utf-8")

    def test_nothing_changed(self) -> None:
        self.run_script("check", expected=0)

    def test_a_function_added(self) -> None:
        self.edit("abi/stub.c", "const char *fleetauth_version(", "void fleetauth_added(void) {}\nconst char *fleetauth_version(")
        self.edit("abi/fleetauth.map", "    fleetauth_version;\n", "    fleetauth_version;\n    fleetauth_added;\n")
        self.run_script("check", expected=0)

    def test_a_function_removed(self) -> None:
        self.edit("abi/fleetauth.map", "    fleetauth_op_cancel;\n", "")
        self.assertIn("fleetauth_op_cancel", self.run_script("check", expected=1))

    def test_a_parameter_changed(self) -> None:
        for name in ("abi/stub.c", "include/fleetauth/fleetauth.h"):
            self.edit(name, "fleetauth_clock *clock, int64_t ms", "fleetauth_clock *clock, int32_t ms")
        self.assertIn("fleetauth_clock_advance", self.run_script("check", expected=1))

    def test_a_constant_renumbered(self) -> None:
        self.edit("abi/constants.txt", "FLEETAUTH_E_TLS 33", "FLEETAUTH_E_TLS 133")
        self.assertIn("FLEETAUTH_E_TLS 33", self.run_script("check", expected=1))

    def test_a_constant_added(self) -> None:
        self.edit("abi/constants.txt", "FLEETAUTH_E_TLS 33\n", "FLEETAUTH_E_TLS 33\nFLEETAUTH_E_ADDED 99\n")
        self.run_script("check", expected=0)


if __name__ == "__main__":
    if shutil.which("abidiff") is None:
        print("abidiff is not installed (Debian: abigail-tools)")
        sys.exit(77)
    unittest.main()
