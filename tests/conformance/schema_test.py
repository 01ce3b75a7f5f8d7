"""schema_test.py: every vector is of the format and has a name of its own, and the tokens in them are signed.

Needs jsonschema (packaging/deps/python-dev.txt); without it exits 77, which ctest reports as skipped.
"""

import json
import sys
import unittest
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    import jsonschema
except ImportError:
    print("jsonschema is not installed; run scripts/venv.sh", file=sys.stderr)
    sys.exit(77)

import test_key

HERE = Path(__file__).resolve().parent
VECTORS = {path.relative_to(HERE): json.loads(path.read_text("utf-8")) for path in sorted(HERE.glob("*/*.json"))}
VALIDATOR = jsonschema.Draft202012Validator(json.loads((HERE / "schema.json").read_text("utf-8")))


def tokens(node: Any) -> Iterator[str]:
    """Everything in a vector that looks like a JWT of RS256."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for member in node:
            yield from tokens(member)
    elif isinstance(node, str):
        yield from (word for word in node.split() if word.startswith(test_key.encode(b'{"alg":"RS256"')[:-1]) and word.count(".") == 2)


class SchemaTest(unittest.TestCase):
    def test_the_schema_is_one(self) -> None:
        VALIDATOR.check_schema(VALIDATOR.schema)

    def test_every_vector_is_of_the_format(self) -> None:
        self.assertGreater(len(VECTORS), 200)
        for path, vector in VECTORS.items():
            with self.subTest(path):
                self.assertEqual([], [f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(vector)])

    def test_names_are_unique(self) -> None:
        counts = Counter(vector["name"] for vector in VECTORS.values())
        self.assertEqual([], [name for name, count in counts.items() if count > 1])

    def test_T18_every_token_is_signed_by_the_key_as_plain_arithmetic_tells(self) -> None:
        found = 0
        for path, vector in VECTORS.items():
            for token in tokens(vector):
                found += 1
                with self.subTest(path):
                    self.assertTrue(test_key.verifies(token))
        self.assertGreater(found, 60)
        token = test_key.token(test_key.signing_input("{}"))
        self.assertTrue(test_key.verifies(token))
        self.assertFalse(test_key.verifies("e" + token))

    def test_what_is_not_of_the_format_is_found(self) -> None:
        good = {"name": "n", "client": {"provider": "fleetup", "options": {}}, "wall": "2026-01-01T00:00:00Z", "steps": [{"start": "a"}]}
        self.assertTrue(VALIDATOR.is_valid(good))
        for step in (
            {},
            {"start": "a", "urls": "https://x"},
            {"done": "a", "token": {}},
            {"done": "a", "identity": {"id": 1}},
            {"done": "a", "identity": {}, "accounts": []},
            {"done": "a", "accounts": [{"id": "x"}]},
            {"inquire": "a", "what": "weather"},
            {"answer_challenge": "a", "code": "1"},
            {"expect_sign": {"algorithm": "HS256", "data": "x"}},
            {"expect_sign": {"algorithm": "RS256"}, "signature_base64": "eA=="},
            {"expect_sign": {"algorithm": "RS256", "data": "x"}, "signature_base64": "eA==", "fail": {"status": "E_CALLBACK"}},
            {"done": "a", "token": {"from_cache": True}, "error": {"status": "E_URL"}},
            {"peek": {"api": "x"}, "headers": {}},
            {"reject": "a"},
            {"expect_request": {"method": "GET", "url": "https://x", "headers": {}}},
        ):
            with self.subTest(step):
                self.assertFalse(VALIDATOR.is_valid(good | {"steps": [step]}))


if __name__ == "__main__":
    unittest.main()
