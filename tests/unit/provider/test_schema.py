"""descriptor.schema.json says what the C++ linter says, as far as a schema can.

Every built-in descriptor must be valid. Every descriptor in bad/ is refused by the linter (lint_test.cpp); the first line of its
.expect file tells whether the schema must refuse it too or cannot tell, so that an editor's help and the library do not drift apart.
"""

import json
import pathlib
import tomllib
import unittest

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PROVIDERS = ROOT / "core" / "provider"


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        schema = json.loads((PROVIDERS / "descriptor.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        cls.validator = jsonschema.Draft202012Validator(schema)

    def test_built_in_descriptors_are_valid(self):
        descriptors = [path for path in PROVIDERS.glob("*.json") if not path.name.endswith(".schema.json")]
        self.assertGreaterEqual(len(descriptors), 2)
        for path in descriptors:
            with self.subTest(path.name):
                self.validator.validate(json.loads(path.read_text()))

    def test_what_the_linter_refuses_is_refused_where_a_schema_can_tell(self):
        cases = sorted(HERE.glob("bad/*.json"))
        self.assertGreater(len(cases), 50)
        for path in cases:
            verdict = path.with_suffix(".expect").read_text().splitlines()[0]
            with self.subTest(path.name):
                self.assertIn(verdict, ("schema: refuses", "schema: cannot tell"))
                self.assertEqual(self.refuses(path), verdict == "schema: refuses")

    def test_the_faults_of_error_rules_are_those_of_the_status_table(self):
        table = tomllib.loads((ROOT / "bindings" / "api" / "status_table.toml").read_text())
        faults = [row["fault"] for row in table["status"] if "fault" in row]
        self.assertCountEqual(self.validator.schema["$defs"]["error_rule"]["properties"]["is"]["enum"], faults)

    def refuses(self, path):
        try:
            tree = json.loads(path.read_text())
        except ValueError:
            return False  # not JSON at all: nothing a schema is asked about
        return not self.validator.is_valid(tree)


if __name__ == "__main__":
    unittest.main()
