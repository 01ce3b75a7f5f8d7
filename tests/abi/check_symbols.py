#!/usr/bin/env python3
"""check_symbols.py LIBRARY: what it exports must be exactly capi/abi/symbols.txt, each with a version of ours."""

import re
import subprocess
import sys
from pathlib import Path

LISTED = Path(__file__).resolve().parents[2] / "capi/abi/symbols.txt"


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    listing = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], capture_output=True, text=True, check=True).stdout
    # The version nodes themselves are listed as absolute symbols.
    exported = [fields[2] for fields in map(str.split, listing.splitlines()) if fields[1] != "A"]
    versioned = {
        name for name, _, version in (symbol.partition("@@") for symbol in exported) if re.fullmatch(r"FLEETAUTH_\d+\.\d+", version)
    }
    listed = set(LISTED.read_text("utf-8").split())
    problems = [
        f"exported but not listed or without a version: {symbol}"
        for symbol in exported
        if symbol.partition("@")[0] not in listed & versioned
    ]
    problems += [f"listed but not exported: {name}" for name in sorted(listed - versioned)]
    print("\n".join(problems) or f"{len(exported)} symbols, as listed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
