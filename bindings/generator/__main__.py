"""python3 bindings/generator [--check]: writes what is generated from bindings/api, or shows what differs from it and exits 1."""

import argparse
import difflib
import importlib
import sys
from pathlib import Path

from load import ApiError, load

# Each has outputs(model) -> {path below the repository's root: text}.
EMITTERS = ["emit_tables", "emit_header", "emit_thunks", "emit_abi", "emit_docs", "emit_python", "emit_node", "emit_java", "emit_tests"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 bindings/generator", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; show the difference and exit 1 when a file is out of date")
    check = parser.parse_args().check
    root = Path(__file__).resolve().parents[2]
    try:
        model = load(root)
    except ApiError as error:
        sys.exit(f"The API description is not valid:\n{error}")
    stale = 0
    for emitter in EMITTERS:
        for name, text in importlib.import_module(emitter).outputs(model).items():
            path = root / name
            old = path.read_text("utf-8") if path.exists() else ""
            if old == text:
                continue
            stale += 1
            if check:
                sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), text.splitlines(True), name, f"{name} (regenerated)"))
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
                print(f"wrote {name}")
    if check and stale:
        print(f"{stale} generated files are out of date. Run: make generate", file=sys.stderr)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
