#!/usr/bin/env python3
"""Looks for secrets in every file of the commit: private keys, tokens and what else opens doors.

check_secrets.py [--root DIR]   prints "file:line: what it looks like", never the text itself, and fails if it finds anything.
"""

import argparse
import base64
import hashlib
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# The SHA-256 of a key's base64 text, and why it may be here.
PUBLISHED_KEYS = {
    # tests/conformance/test_key.pem: signs the expected tokens of the vectors and opens nothing.
    "9974831160b3f510aa0cc0714556510b0e6b4e38f29346ec36d7b9866f6f51c7",
}

# The issuer of the tokens which that key signs.
MADE_UP_ISSUER = "test@vectors.iam.gserviceaccount.example"

# Words that stand in values which were made up, here or within their base64.
MADE_UP = re.compile(r"(?i)canary|demo|example|wrong|your-|test|0123456789abcdef|fedcba9876543210")

SHAPES = {
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{50,}",
    "a GitLab token": r"\bglpat-[\w-]{20}",
    "a Slack token": r"\bxox[abeoprs]-[\w-]{10,}",
    "a Google API key": r"\bAIza[\w-]{35}",
    "a Google access or refresh token": r"\bya29\.[\w-]{20,}|\b1//0[\w-]{30,}",
    "a Google client secret": r"\bGOCSPX-[\w-]{20,}",
    "a Stripe key": r"\b[rs]k_live_\w{20,}",
    "an npm token": r"\bnpm_[A-Za-z0-9]{36}",
    "a PyPI token": r"\bpypi-AgE[\w-]{50,}",
    "a Samsara token": r"\bsamsara_api_\w{20,}",
    "a password in a URL": r"\bhttps?://[^\s/:@\"'<>{}$]+:[^\s/:@\"'<>{}$]{8,}@(?!127\.0\.0\.1)[\w-]+\.\w",
}

PEM = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----((?:\\n|[\sA-Za-z0-9+/=])*)")
DER = re.compile(r"\bMII[CEJ][A-Za-z0-9+/]{300,}")
JWT = re.compile(r"\beyJ[\w-]{5,}\.(eyJ[\w-]{5,})\.([\w-]{16,})")
ASSIGNED = re.compile(r"""(?ai)(?:api_?key|secret|passw(?:or)?d|token)["']?\s*[:=]{1,2}>?\s*["'`]([\w+/=.-]{20,})["'`]""")

Finding = tuple[Path, int, str]


def decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def is_published(key: str) -> bool:
    text = re.sub(r"\\n|\s", "", key)
    return len(text) < 100 or hashlib.sha256(text.encode()).hexdigest() in PUBLISHED_KEYS


def is_made_up(text: str) -> bool:
    return MADE_UP.search(text + decoded(text).decode("latin-1")) is not None


def is_made_up_token(payload: str, signature: str) -> bool:
    return is_made_up(signature) or MADE_UP_ISSUER.encode() in decoded(payload)


def is_random(value: str) -> bool:
    """Letters and digits that come of no language."""
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return bits > 3.8 and len(re.findall(r"\d", value)) >= 4 and re.search(r"[A-Za-z]", value) is not None


def findings(path: Path, text: str) -> Iterator[Finding]:
    def at(match: re.Match[str], what: str) -> Finding:
        return path, text.count("\n", 0, match.start()) + 1, what

    for match in PEM.finditer(text):
        if not is_published(match[1]):
            yield at(match, "a private key")
    for match in DER.finditer(text):
        if PEM.search(text, 0, match.end()) is None:
            yield at(match, "a key without its PEM lines")
    for match in JWT.finditer(text):
        if not is_made_up_token(match[1], match[2]):
            yield at(match, "a JSON web token")
    for what, shape in SHAPES.items():
        for match in re.finditer(shape, text):
            if not MADE_UP.search(match[0]):
                yield at(match, what)
    for match in ASSIGNED.finditer(text):
        if not is_made_up(match[1]) and not match[1].startswith("eyJ") and is_random(match[1]):
            yield at(match, "a random value of a secret")


def committed(root: Path) -> list[Path]:
    """The files of the commit and those about to join it; in a tree without git, all of them."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        return sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return [Path(name) for name in listed.stdout.split("\0") if name and (root / name).is_file()]


def main() -> int:
    parser = argparse.ArgumentParser(description="Looks for secrets in the files of the commit.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2], help="the tree to check")
    root = parser.parse_args().root.resolve()
    found = [finding for path in committed(root) for finding in findings(path, (root / path).read_bytes().decode("latin-1"))]
    for path, line, what in found:
        print(f"{path}:{line}: this looks like {what}", file=sys.stderr)
    print(f"secrets: {len(found)} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
