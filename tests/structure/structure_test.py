"""The checks of this folder and of scripts/, each shown to fail on what breaks its rule."""

import base64
import json
import secrets
import string
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
STRUCTURE = HERE / "check_structure.py"
SECRETS = HERE / "check_secrets.py"
ROWS = HERE.parents[1] / "scripts/rows.py"
COVERAGE_SUMS = HERE.parents[1] / "scripts/coverage_sums.py"


class TreeTest(unittest.TestCase):
    def run_on(self, script: Path, files: dict[str, str]) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            run = subprocess.run([sys.executable, script, "--root", folder], capture_output=True, text=True, check=False)
            return run.returncode, run.stdout + run.stderr

    def assert_fails(self, script: Path, files: dict[str, str], message: str) -> None:
        code, output = self.run_on(script, files)
        self.assertEqual(code, 1, output)
        self.assertIn(message, output)

    def assert_passes(self, script: Path, files: dict[str, str]) -> None:
        code, output = self.run_on(script, files)
        self.assertEqual(code, 0, output)


class StructureTest(TreeTest):
    def test_clean_tree_passes(self) -> None:
        self.assert_passes(
            STRUCTURE,
            {
                "core/flow/a.h": '#pragma once\n#include "core/base/b.h"\n// never getenv() here; no std::cout\n',
                "core/flow/a.cpp": '#include "core/flow/a.h"\nconst char *text = "system(1)";\nthread_local std::uint32_t n = 0;\n'
                "auto t = clock.time() + p->fork() + crypto::random(8);\ndouble random();\n",
                "core/base/os/env.cpp": 'const char *home() { return secure_getenv("HOME"); }\n',
                "core/provider/fleetup.json": '{"name": "fleetup"}',
                "tools/command/main.cpp": "#include <fleetauth/fleetauth.h>\n",
            },
        )

    def test_upward_include_fails(self) -> None:
        self.assert_fails(
            STRUCTURE, {"core/base/a.cpp": '\n#include "core/flow/b.h"\n'}, "core/base/a.cpp:2: core/base must not include core/flow"
        )

    def test_sideward_include_fails(self) -> None:
        self.assert_fails(STRUCTURE, {"core/token/a.cpp": '#include "core/net/b.h"\n'}, "must not include core/net")

    def test_core_including_the_abi_fails(self) -> None:
        self.assert_fails(
            STRUCTURE, {"core/net/a.cpp": "#include <fleetauth/fleetauth.h>\n"}, "the core must not include fleetauth/fleetauth.h"
        )

    def test_include_beside_the_file_fails(self) -> None:
        files = {"core/net/a.cpp": '#include "b.h"\n', "core/net/b.h": "#pragma once\n"}
        self.assert_fails(STRUCTURE, files, "by its path from the top")

    def test_unknown_layer_fails(self) -> None:
        self.assert_fails(STRUCTURE, {"core/extra/a.cpp": "\n"}, "no known layer")

    def test_tool_including_the_core_fails(self) -> None:
        self.assert_fails(STRUCTURE, {"tools/command/a.cpp": '#include "core/base/b.h"\n'}, "uses the C ABI alone")

    def test_emulator_including_the_abi_fails(self) -> None:
        self.assert_fails(STRUCTURE, {"tools/emulator/src/a.cpp": "#include <fleetauth/fleetauth.h>\n"}, "shares nothing")

    def test_provider_name_in_core_fails_even_in_a_comment(self) -> None:
        self.assert_fails(STRUCTURE, {"core/flow/a.cpp": "// as Fleet_Up wants it\n"}, '"fleetup" is a provider\'s')

    def test_name_of_a_new_descriptor_fails_too(self) -> None:
        files = {"core/provider/acme.json": '{"name": "acme_fleet"}', "core/flow/a.cpp": "int acmeFleet;\n"}
        self.assert_fails(STRUCTURE, files, '"acmefleet"')

    def test_forbidden_code_fails(self) -> None:
        for line in (
            'extern "C" void f();',
            'auto home = getenv("HOME");',
            'int r = system("ls");',
            "#include <iostream>",
            "auto now = std::chrono::system_clock::now();",
            "std::this_thread::sleep_for(x);",
            "std::mt19937 random;",
            "auto t = std::time(nullptr);",
            "auto p = ::fork();",
            "int r = rand();",
            "thread_local std::string x;",
            "curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L);",
            "curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);",
            "curl_easy_setopt(h, CURLOPT_VERBOSE, 1L);",
            'redisCommand(c, "GET %s", key);',
        ):
            with self.subTest(line):
                self.assert_fails(STRUCTURE, {"core/flow/a.cpp": line + "\n"}, "core/flow/a.cpp:1: ")

    def test_T27_a_compare_that_ends_at_the_first_difference_fails(self) -> None:
        for line in (
            "return memcmp(a, b, 16) == 0;",
            "return std::strcmp(a, b) == 0;",
            "if (given.view() == kept.view()) return;",
            "if (answer != kept->code.view()) return;",
            "return record->commitment == keys.commitment();",
            "return digest != header.mac;",
        ):
            with self.subTest(line):
                self.assert_fails(STRUCTURE, {"core/flow/a.cpp": line + "\n"}, "equal_constant_time")
        allowed = 'bool same = CRYPTO_memcmp(a, b, 16) == 0;\nbool bare = payload.view() == "{}";\nbool none = mac == nullptr;\n'
        self.assert_passes(STRUCTURE, {"core/flow/a.cpp": allowed})

    def test_sleeping_test_fails(self) -> None:
        self.assert_fails(STRUCTURE, {"tests/unit/a_test.cpp": "void f() { usleep(10); }\n"}, "tests do not sleep")

    def test_header_without_guard_fails(self) -> None:
        self.assert_fails(STRUCTURE, {"core/base/a.h": "int x;\n"}, "#pragma once")

    def test_unfinished_work_fails(self) -> None:
        self.assert_fails(STRUCTURE, {"scripts/a.sh": "# TO" + "DO later\n"}, "finish it")


class SecretsTest(TreeTest):
    """What is to be found is put together here, so that this file is clean."""

    def random(self, letters: int) -> str:
        return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(letters - 4)) + "a1b2"

    def test_T28_a_secret_in_a_file_fails(self) -> None:
        key = base64.b64encode(secrets.token_bytes(1200)).decode()
        web_token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"RS256"}', b'{"iss":"acme"}'))
        for what, text in {
            "a private key": f"-----BEGIN PRIVATE {'KEY'}-----\n{key}\n-----END",
            "a key without its PEM lines": "MIIE" + self.random(400),
            "a JSON web token": f"{web_token}.{self.random(43)}",
            "an AWS access key": "AKIA" + "QWERTYUIOPASDFGH",
            "a GitHub token": "ghp" + "_" + self.random(36),
            "a Google API key": "AIza" + self.random(35),
            "a Slack token": "xox" + "b-" + self.random(20),
            "a password in a URL": "https://joe:" + self.random(12) + "@api.fleet.com/",
            "a random value of a secret": f'api_key = "{string.ascii_uppercase}{string.digits}"',
        }.items():
            with self.subTest(what):
                self.assert_fails(SECRETS, {"node/examples/a.ts": f"// {what}\n{text}\n"}, f"a.ts:2: this looks like {what}")

    def test_T28_what_was_made_up_passes(self) -> None:
        pem = (HERE.parents[1] / "tests/conformance/test_key.pem").read_text(encoding="utf-8")
        self.assert_passes(SECRETS, {"a.pem": pem, "b.py": 'api_key = "demo-api-key"\nsecret="0123456789abcdef0123456789abcdef"\n'})


def table(row: str, state: str, note: str = "") -> str:
    return f'[[row]]\nid = "{row}"\ntitle = "a fault"\nstate = "{state}"\nnote = "{note}"\n'


class RowsTest(TreeTest):
    def rows(self, table_text: str, test_file: str = "", name: str = "tests/a_test.cpp") -> dict[str, str]:
        return {"tests/fault/rows.toml": table_text, name: test_file}

    def test_covered_row_is_found_in_each_language(self) -> None:
        for name, text in {
            "tests/unit/a_test.cpp": "TEST_F(Refresh,\n       N10_NothingIsSentTwice) {}",
            "python/tests/test_a.py": "async def test_N10_nothing(client): ...",
            "node/test/a.test.ts": "test('N10: nothing is sent twice', async () => {});",
            "java/src/test/java/A.java": "@Test\n void N10_nothing() {}",
            "tests/conformance/a.json": '{"vectors": [{"rows": ["N10"]}]}',
            "tests/hosts/cases.json": '{"cases": [{"name": "N10 nothing is sent twice"}]}',
            "tests/process/CMakeLists.txt": "add_test(NAME process.N10_nothing COMMAND x)",
        }.items():
            with self.subTest(name):
                self.assert_passes(ROWS, self.rows(table("N10", "covered"), text, name))

    def test_time_rows_are_told_from_threats(self) -> None:
        self.assert_passes(ROWS, self.rows(table("T-1", "covered"), "TEST(Time, T_1_WallClockSteps) {}"))
        self.assert_fails(ROWS, self.rows(table("T-1", "covered"), "TEST(Time, T01_Certificates) {}"), "T-1 is marked covered")

    def test_covered_row_without_a_test_fails(self) -> None:
        for text in ("// N10 is tested elsewhere\n", "TEST(A, DISABLED_N10_x) {}", "TEST(A, XN10_x) {}", "TEST(A, N100) {}"):
            with self.subTest(text):
                self.assert_fails(ROWS, self.rows(table("N10", "covered"), text), "N10 is marked covered, but no test")

    def test_unknown_row_fails(self) -> None:
        self.assert_fails(ROWS, self.rows(table("N10", "deferred", "later"), "TEST(A, N99_x) {}"), "N99 is not a row")

    def test_wrong_tables_fail(self) -> None:
        self.assert_fails(ROWS, self.rows(table("N10", "done")), "has the state 'done'")
        self.assert_fails(ROWS, self.rows(table("N10", "deferred")), "needs a note")
        self.assert_fails(ROWS, self.rows(table("N10", "deferred", "x") * 2), "twice")
        self.assert_fails(ROWS, self.rows(table("Q10", "deferred", "x")), "is not an id")


class CoverageTest(unittest.TestCase):
    def sums(self, lines: int, branches: int) -> tuple[int, str]:
        """What is said of a core with so many of 1000 covered, and of a C ABI with nothing covered."""

        def file(name: str, lines: int, branches: int) -> dict[str, object]:
            summary = {"lines": {"count": 1000, "covered": lines}, "branches": {"count": 1000, "covered": branches}}
            return {"filename": name, "summary": summary}

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "summary.json")
            files = [file("/src/core/base/a.cpp", lines, branches), file("/src/capi/src/a.cpp", 0, 0)]
            path.write_text(json.dumps({"data": [{"files": files}]}), encoding="utf-8")
            run = subprocess.run([sys.executable, COVERAGE_SUMS, path], capture_output=True, text=True, check=False)
            return run.returncode, run.stdout + run.stderr

    def test_at_the_limits_it_passes(self) -> None:
        sums = "core: 95.0 % of 1000 lines, 90.0 % of 1000 branches\ncapi: 0.0 % of 1000 lines, 0.0 % of 1000 branches\n"
        self.assertEqual(self.sums(950, 900), (0, sums))

    def test_below_a_limit_it_fails(self) -> None:
        for lines, branches, message in ((949, 900, "the core is below 95 % of lines"), (950, 899, "the core is below 90 % of branches")):
            code, output = self.sums(lines, branches)
            self.assertEqual(code, 1, output)
            self.assertIn(message, output)


if __name__ == "__main__":
    unittest.main()
