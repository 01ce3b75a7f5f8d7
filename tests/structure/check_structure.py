#!/usr/bin/env python3
"""Checks of the source tree that no compiler makes: who may include whom, and what may not be written where.

check_structure.py [--root DIR]   prints every violation as "file:line: what is wrong" and fails if there is one.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

# Includes run downward only: a layer may include itself and the layers named here.
BELOW = {
    "base": set(),
    "crypto": {"base"},
    "provider": {"base", "crypto"},
    "flow": {"base", "crypto", "provider"},
    "token": {"base", "crypto", "provider", "flow"},
    "store": {"base", "crypto", "provider", "flow"},
    "net": {"base", "crypto", "provider", "flow"},
    "runtime": {"base", "crypto", "provider", "flow", "token", "store", "net"},
}

# Words by which one would know a provider, besides the names of the descriptor files.
PROVIDER_WORDS = ["fleetup", "trimble", "fleetengine", "fleetorchestrator", "myconnectedfleet", "michelin", "masternaut"]

# A call of a free function: f(, std::f( or ::f(, but neither x.f( nor ours::f(.
CALL = r"(?:(?<![\w.:>])|(?<=\bstd::)|(?<!\w)::)"
SLEEP = r"\bsleep_(?:for|until)\b|" + CALL + r"(?:u|nano)?sleep\s*\("
OS = "core/base/os/"

# (pattern, why, where it is allowed). Looked for in code without comments and string literals.
FORBIDDEN_IN_CORE = [
    (r'extern\s*"C"', "the C ABI is capi's; libcurl's hook is what is allowed", "core/net/lookup.cpp"),
    (r"\b(?:secure_)?getenv\s*\(", "operating-system calls live in core/base/os", OS),
    (CALL + r"(?:system|popen|fork|exec[lv]p?e?)\s*\(", "operating-system calls live in core/base/os", OS),
    (r"\b(?:system|steady|high_resolution)_clock::now\b", "time comes from the injected clock", OS),
    (CALL + r"(?:clock_gettime\s*\(|gettimeofday\s*\(|time\s*\((?:nullptr|NULL|0|&))", "time comes from the injected clock", OS),
    (SLEEP, "nothing in the core sleeps; use a runtime timer", None),
    (r"#\s*include\s*<(?:iostream|ostream|istream|cstdio|stdio\.h)>", "the core prints nothing", OS),
    (r"\bstd::(?:cout|cerr|clog)\b|" + CALL + r"f?printf\s*\(", "the core prints nothing", OS),
    (CALL + r"s?rand\s*\(|\bstd::(?:random_device|mt19937\w*)", "randomness comes from OpenSSL's RAND_bytes", None),
    (
        r"\bthread_local\b(?!\s+(?:std::)?(?:u?int\d*(?:_t)?|bool)\s+\w+)",
        "thread-local objects have destructors that run after us: numbers only",
        None,
    ),
    (r"\bredis(?:v?Command|v?AppendCommand)\s*\(", "formats and Redis commands do not mix: use the Argv functions", None),
    (r"\bCURLOPT_(?:VERBOSE|NETRC|COOKIEFILE|COOKIEJAR|HSTS|ALTSVC)\b", "libcurl must not log, remember or look up credentials", None),
    (r"\bCURLOPT_(?:PROXY_)?SSL_VERIFY(?:PEER|HOST)\s*,\s*0|\bSSL_VERIFY_NONE\b", "TLS is always verified", None),
    (r"\bCURLOPT_FOLLOWLOCATION\s*,\s*[1-9]", "redirects are never followed", None),
    (
        # What is compared with a literal or with nothing is no secret.
        r"(?<!\w)(?:std::)?(?:mem|strn?(?:case)?)cmp\s*\(|\.view\(\)\s*[=!]=(?!\s*\")|[=!]=\s*[\w.:>()-]+\.view\(\)"
        r"|\b(?:commitment|hmac|mac|otp|totp)(?:\(\))?\s*[=!]=(?!\s*nullptr)|[=!]=\s*(?:[\w.:]+(?:\.|->))?(?:commitment|hmac|mac|otp|totp)\b",
        "it may compare secrets and end at the first difference: use equal_constant_time",
        None,
    ),
]

FORBIDDEN_IN_TESTS = [(SLEEP, "tests do not sleep: move the manual clock or wait for the event", None)]

SOURCES = {".h", ".hpp", ".cpp", ".c", ".inc"}
Violation = tuple[Path, int, str]


def without_comments(text: str, keep_strings: bool) -> str:
    """The code alone, line for line; string literals are emptied unless they are to be kept."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)

    def replace(match: re.Match[str]) -> str:
        found = match[0]
        if found.startswith(("//", "/*")):
            return " " + "\n" * found.count("\n")
        return found if keep_strings else '""' + "\n" * found.count("\n")

    return token.sub(replace, text)


def sources(root: Path, folder: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((root / folder).rglob("*")):
        if path.suffix in SOURCES and path.is_file() and "node_modules" not in path.parts:
            yield path.relative_to(root), path.read_text(encoding="utf-8")


def includes(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(without_comments(text, keep_strings=True).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*["<]([^">]+)[">]', line)
        if match:
            yield number, match[1]


def check_core_includes(root: Path) -> Iterator[Violation]:
    for path, text in sources(root, "core"):
        layer = path.parts[1]
        if layer not in BELOW:
            yield path, 1, f"core/{layer} is no known layer; add it to BELOW in tests/structure/check_structure.py"
            continue
        for number, target in includes(text):
            parts = target.split("/")
            if parts[0] == "core":
                if parts[1] != layer and parts[1] not in BELOW[layer]:
                    yield path, number, f"core/{layer} must not include core/{parts[1]}: includes run downward only"
            elif (root / path).parent.joinpath(target).is_file():
                yield path, number, f'include "{target}" by its path from the top (core/{layer}/…)'
            elif parts[0] in {"capi", "bindings", "tools", "fleetauth", "tests"}:
                yield path, number, f"the core must not include {target}: includes run downward only"


# The rules by which connections are made and clocks compared, for what the command sends itself.
SHARED_WITH_COMMAND = {"core/base/clock_skew.h", "core/net/address.h", "core/net/proxy.h", "core/net/trust.h"}


def check_upper_includes(root: Path) -> Iterator[Violation]:
    """What is above the C ABI sees the C ABI only; the emulator sees nothing of ours."""
    for folder in ("tools", "bindings", "python", "node", "java"):
        for path, text in sources(root, folder):
            emulator = path.parts[:2] == ("tools", "emulator")
            for number, target in includes(text):
                first = target.split("/")[0]
                if first in {"core", "capi"} and not (path.parts[:2] == ("tools", "fleetauth") and target in SHARED_WITH_COMMAND):
                    yield path, number, f"{folder} uses the C ABI alone (fleetauth/fleetauth.h), not {target}"
                elif emulator and target.startswith("fleetauth/") and not target.startswith("fleetauth/emulator"):
                    yield path, number, "the emulator shares nothing with the library it tests"
    for path, text in sources(root, "capi"):
        for number, target in includes(text):
            if target.split("/")[0] in {"bindings", "tools", "tests"}:
                yield path, number, f"capi must not include {target}: includes run downward only"


def provider_words(root: Path) -> set[str]:
    words = set(PROVIDER_WORDS)
    for descriptor in (root / "core/provider").rglob("*.json"):
        name = json.loads(descriptor.read_text(encoding="utf-8")).get("name", descriptor.stem)
        if "schema" not in descriptor.stem and name not in {"oauth2"}:  # oauth2 is a protocol as well
            words.add(re.sub(r"[^a-z0-9]", "", name.lower()))
    return words


def check_provider_names(root: Path) -> Iterator[Violation]:
    words = provider_words(root)
    for path in sorted((root / "core").rglob("*")):
        relative = path.relative_to(root)
        if not path.is_file() or (path.suffix == ".json" and relative.parts[:2] == ("core", "provider")):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            plain = re.sub(r"[\s_-]", "", line.lower())
            for word in sorted(words):
                if word in plain:
                    yield relative, number, f'"{word}" is a provider\'s: it may occur in core/provider/*.json only'


def check_forbidden(root: Path, folder: str, rules: Sequence[tuple[str, str, str | None]]) -> Iterator[Violation]:
    for path, text in sources(root, folder):
        code = without_comments(text, keep_strings=False)
        linkage = without_comments(text, keep_strings=True)
        for pattern, why, allowed in rules:
            if allowed and str(path).startswith(allowed):
                continue
            searched = linkage if '"' in pattern else code
            for match in re.finditer(pattern, searched):
                yield path, searched.count("\n", 0, match.start()) + 1, f"{match[0].strip()}: {why}"


def check_headers(root: Path) -> Iterator[Violation]:
    for folder in ("core", "capi", "bindings", "tools"):
        for path, text in sources(root, folder):
            if path.suffix in {".h", ".hpp"} and "#pragma once" not in text and not re.search(r"#ifndef \w+_H", text):
                yield path, 1, "a header begins with #pragma once"


def check_unfinished(root: Path) -> Iterator[Violation]:
    marker = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    for folder in ("core", "capi", "bindings", "tools", "tests", "python", "node", "java", "scripts"):
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            if path.suffix not in SOURCES | {".py", ".ts", ".js", ".mjs", ".cjs", ".java", ".sh", ".toml", ".cmake"}:
                continue
            if not path.is_file() or {"node_modules", "target", "dist", "build"}.intersection(parts):
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if marker.search(line):
                    yield path.relative_to(root), number, "finish it or leave it out"


def violations(root: Path) -> list[Violation]:
    return [
        *check_core_includes(root),
        *check_upper_includes(root),
        *check_provider_names(root),
        *check_forbidden(root, "core", FORBIDDEN_IN_CORE),
        *check_forbidden(root, "tests", FORBIDDEN_IN_TESTS),
        *check_headers(root),
        *check_unfinished(root),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks who includes whom, and what may not be written where.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2], help="the tree to check")
    root = parser.parse_args().root.resolve()
    found = violations(root)
    for path, line, what in found:
        print(f"{path}:{line}: {what}", file=sys.stderr)
    print(f"structure: {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
