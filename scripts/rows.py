#!/usr/bin/env python3
"""Compares the table of faults (tests/fault/rows.toml) with the tests that name its rows.

rows.py           print every row with its state and tests, then the sums
rows.py --quiet   print the sums and what is wrong only
--root DIR        look at another tree than the one this script is in

Fails when a row marked covered has no test, when a test names a row that does not exist, or when the table itself is wrong.
A row counts as named only by the name of a test, never by a comment.
"""

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path

TABLE = "tests/fault/rows.toml"
FOLDERS = ["tests", "python", "node", "java"]
SKIPPED_FOLDERS = {"node_modules", "target", "dist", "build", "__pycache__", "corpus"}
STATES = ("covered", "deferred", "not-applicable")

# An id as a word of a test's name. "T-1" is T_1 in an identifier; T01 is another row.
ID = re.compile(r"(?<![A-Za-z0-9])([NHJRSPMLK]\d\d|T\d\d|T[-_](?:10|[1-9]))(?![A-Za-z0-9])")

# How a test gets its name, by file suffix.
QUOTED = r"""["'`]((?:[^"'`\\\n]|\\.)*)["'`]"""
JS_NAMES = [re.compile(r"\b(?:test|it|describe)(?:\.\w+)?\s*\(\s*" + QUOTED)]
NAMES = {
    ".cpp": [re.compile(r"\b(?:TYPED_)?TEST(?:_[FP])?\s*\(\s*(\w+\s*,\s*\w+)\s*\)")],
    ".c": [re.compile(r"^TEST\(\s*(\w+)\s*\)", re.M)],
    ".py": [re.compile(r"^\s*(?:async\s+)?def\s+(test_\w+)", re.M), re.compile(r"^class\s+(Test\w*)", re.M)],
    ".ts": JS_NAMES,
    ".mts": JS_NAMES,
    ".js": JS_NAMES,
    ".mjs": JS_NAMES,
    ".cjs": JS_NAMES,
    ".java": [re.compile(r"@DisplayName\(\s*" + QUOTED), re.compile(r"@(?:\w*Test|TestFactory)\b[^{;]*?\bvoid\s+(\w+)\s*\(")],
    ".txt": [re.compile(r"\badd_test\(\s*NAME\s+(\S+)")],
}


def test_names(root: Path, path: Path) -> list[str]:
    if path.suffix == ".json":
        reader = {"conformance": vector_names, "hosts": case_names}.get(path.parts[1])
        return reader(root / path) if reader else []
    if path.suffix not in NAMES:
        return []
    text = (root / path).read_text(encoding="utf-8", errors="replace")
    return [match[1] for pattern in NAMES[path.suffix] for match in pattern.finditer(text)]


def vector_names(path: Path) -> list[str]:
    """A conformance vector names its rows in a list "rows"."""
    names: list[str] = []

    def visit(value: object) -> None:
        if isinstance(value, dict):
            rows = value.get("rows")
            if isinstance(rows, list):
                names.extend(str(row) for row in rows)
            for member in value.values():
                visit(member)
        elif isinstance(value, list):
            for member in value:
                visit(member)

    visit(json.loads(path.read_text(encoding="utf-8")))
    return names


def case_names(path: Path) -> list[str]:
    """The names of the cases that host transports are held to, which are the names of the tests that play them."""
    return [str(case["name"]) for case in json.loads(path.read_text(encoding="utf-8"))["cases"]]


def test_files(root: Path) -> list[Path]:
    """Paths relative to root."""
    paths = [path.relative_to(root) for folder in FOLDERS for path in sorted((root / folder).rglob("*")) if path.is_file()]
    return [path for path in paths if not SKIPPED_FOLDERS.intersection(path.parts)]


def find_tests(root: Path) -> dict[str, list[str]]:
    """From a row's id to the tests that name it."""
    found: dict[str, list[str]] = {}
    for path in test_files(root):
        for name in test_names(root, path):
            if "DISABLED" in name:
                continue
            for match in ID.finditer(name):
                row = match[1].replace("_", "-")
                place = f"{path}: {' '.join(name.split())}"
                if place not in found.setdefault(row, []):
                    found[row].append(place)
    return found


def table_problems(rows: list[dict[str, str]]) -> list[str]:
    problems = []
    seen = set()
    for row in rows:
        name = row.get("id", "(a row without id)")
        if name in seen:
            problems.append(f"{name} is in the table twice")
        seen.add(name)
        if not ID.fullmatch(name):
            problems.append(f"{name} is not an id")
        if row.get("state") not in STATES:
            problems.append(f"{name} has the state {row.get('state')!r}; it must be one of {', '.join(STATES)}")
        elif row["state"] != "covered" and not row.get("note"):
            problems.append(f"{name} is {row['state']} and needs a note that says why")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares the table of faults with the tests that name its rows.")
    parser.add_argument("--quiet", action="store_true", help="print the sums and what is wrong only")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="the tree to look at")
    arguments = parser.parse_args()

    rows = tomllib.loads((arguments.root / TABLE).read_text(encoding="utf-8"))["row"]
    tests = find_tests(arguments.root)
    problems = table_problems(rows)
    known = {row["id"]: row for row in rows if "id" in row}

    for name, row in known.items():
        places = tests.get(name, [])
        if row["state"] == "covered" and not places:
            problems.append(f"{name} is marked covered, but no test has it in its name")
        if not arguments.quiet:
            print(f"{name:5} {row['state']:15} {row['title']}" + (f"  [{row['note']}]" if row["state"] != "covered" else ""))
            for place in places:
                print(f"{'':21} {place}")
    for name in sorted(tests.keys() - known.keys()):
        problems.append(f"{name} is not a row of {TABLE}, but named by {tests[name][0]}")

    sums = ", ".join(f"{sum(row.get('state') == state for row in rows)} {state}" for state in STATES)
    ready = sorted(name for name, row in known.items() if row["state"] == "deferred" and name in tests)
    if ready:
        print(f"rows: have tests and are still marked deferred: {' '.join(ready)}")
    print(f"rows: {len(rows)} in all: {sums}")
    for problem in problems:
        print(f"rows: error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
