"""The C examples of README.md compile against the public header, as C99 and without warnings."""

import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class ReadmeTest(unittest.TestCase):
    def test_c_examples_compile(self) -> None:
        examples = re.findall(r"^```c\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
        self.assertTrue(examples, "README.md has no C example")
        for example in examples:
            command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-unused-function", "-fsyntax-only"]
            command += [f"-I{ROOT / 'capi/include'}", "-x", "c", "-"]
            run = subprocess.run(command, input=example, capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 0, run.stderr)

    def test_files_that_are_linked_exist(self) -> None:
        for page in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
            for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8")):
                self.assertTrue((ROOT / target).exists(), f"{page} links {target}, which does not exist")


if __name__ == "__main__":
    unittest.main()
