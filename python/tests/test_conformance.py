"""The vectors which every language carries out, read in place."""

import json
from pathlib import Path
from typing import Any

import pytest
from conformance import Vector

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "conformance"


def vectors() -> list[Any]:
    found = []
    for file in sorted(FOLDER.rglob("*.json")):
        content = json.loads(file.read_text("utf-8"))
        for vector in content if isinstance(content, list) else [content]:
            if isinstance(vector, dict) and "client" in vector:
                found.append(pytest.param(vector, id=f"{file.relative_to(FOLDER).with_suffix('')}: {vector['name']}"))
    assert found, f"no vectors below {FOLDER}"
    return found


@pytest.mark.parametrize("vector", vectors())
async def test_vector(vector: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    await Vector(vector).run()
    printed = "".join(capfd.readouterr())
    assert not any(secret in printed for secret in vector.get("secrets", []))
