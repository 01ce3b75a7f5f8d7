#!/usr/bin/env python3
"""Sums of core and capi, from what `llvm-cov export -summary-only` wrote.

coverage_sums.py FILE   prints them and fails where the core is below its limits.
"""

import json
import sys
from pathlib import Path
from typing import Any

LIMITS = {"lines": 95, "branches": 90}  # of the core, in percent


def covered(files: list[Any], what: str) -> tuple[float, int]:
    """In percent, and of how many."""
    count = sum(file["summary"][what]["count"] for file in files)
    return 100 * sum(file["summary"][what]["covered"] for file in files) / max(count, 1), count


def main() -> int:
    files = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["data"][0]["files"]
    below = []
    for part in ("core", "capi"):
        sums = {what: covered([file for file in files if f"/{part}/" in file["filename"]], what) for what in LIMITS}
        print(f"{part}: " + ", ".join(f"{percent:.1f} % of {count} {what}" for what, (percent, count) in sums.items()))
        if part == "core":
            below = [what for what, limit in LIMITS.items() if sums[what][0] < limit]
    for what in below:
        print(f"coverage: the core is below {LIMITS[what]} % of {what}", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
