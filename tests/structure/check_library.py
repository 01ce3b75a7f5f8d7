#!/usr/bin/env python3
"""Checks the built shared library: what it exports, what it needs, and that it is hardened.

check_library.py LIBRARY SONAME   prints what is wrong and fails if anything is. Uses readelf.
"""

import re
import subprocess
import sys

ALLOWED_NEEDS = re.compile(r"lib(?:stdc\+\+|gcc_s|c|m)\.so\.\d+|ld-linux[\w-]*\.so\.\d")


def readelf(*arguments: str) -> str:
    return subprocess.run(["readelf", "--wide", *arguments], capture_output=True, text=True, check=True).stdout


def problems(library: str, soname: str) -> list[str]:
    dynamic = readelf("--dynamic", library)
    segments = readelf("--segments", library)
    found = []

    def need(holds: object, what: str) -> None:
        if not holds:
            found.append(what)

    need(f"soname: [{soname}]" in dynamic, f"its SONAME is not {soname}")
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        need(ALLOWED_NEEDS.fullmatch(name), f"it needs {name}; everything but the C and C++ runtimes is linked statically")
    need(not re.search(r"\((?:RPATH|RUNPATH)\)", dynamic), "it has an RPATH")
    need(re.search(r"FLAGS_1.*\bNOW\b", dynamic), "it is not linked with -z now")
    need(re.search(r"FLAGS_1.*\bNODELETE\b", dynamic), "it is not linked with -z nodelete")
    need(not re.search(r"\(TEXTREL\)", dynamic), "it has text relocations")
    need("GNU_RELRO" in segments, "it is not linked with -z relro")
    need(re.search(r"GNU_STACK.* RW +0x", segments), "its stack is executable")
    need("__stack_chk_fail" in readelf("--dyn-syms", library), "it is not compiled with -fstack-protector-strong")
    for symbol in exported(library):
        need(symbol.startswith(("fleetauth_", "FLEETAUTH_")), f"it exports {symbol}")
    return found


def exported(library: str) -> list[str]:
    names = []
    for line in readelf("--dyn-syms", library).splitlines():
        columns = line.split()
        if len(columns) >= 8 and columns[4] in {"GLOBAL", "WEAK"} and columns[6] != "UND":
            names.append(columns[7].split("@")[0])
    return names


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    library, soname = sys.argv[1:]
    found = problems(library, soname)
    for problem in found:
        print(f"{library}: {problem}", file=sys.stderr)
    print(f"library: {len(exported(library))} exported symbols, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
