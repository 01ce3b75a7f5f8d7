"""The vectors which every language carries out, read in place."""

import json
from collections.abc import Iterator
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


def alterations(node: Any) -> Iterator[Any]:
    """Copies of a JSON value, each with one leaf that says something else, or one member more or less."""
    if isinstance(node, dict):
        for key, value in node.items():
            for altered in alterations(value):
                yield {**node, key: altered}
    elif isinstance(node, list):
        for index, value in enumerate(node):
            for altered in alterations(value):
                yield [*node[:index], altered, *node[index + 1 :]]
    elif isinstance(node, bool):
        yield not node
    elif isinstance(node, str):
        yield node + "!"
    else:
        yield 1 if node is None else node + 1


@pytest.mark.parametrize(
    "name",
    [
        "fleetup/headers_by_url",
        "fleetup/status_401",
        "core/life_stale",
        "fleet_orchestrator/whoami_asks_for_otp",
        "trimble_maps/accounts",
        "fleet_engine/signer_takes_too_long",
    ],
)
async def test_a_vector_that_expects_something_else_fails(name: str) -> None:
    vector = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    count = 0
    for number, step in enumerate(vector["steps"]):
        for member in {"expect_request", "expect_sign", "token", "headers", "identity", "accounts", "error", "advice"} & step.keys():
            for altered in alterations(step[member]):
                steps = [*vector["steps"][:number], {**step, member: altered}, *vector["steps"][number + 1 :]]
                try:
                    await Vector({**vector, "steps": steps}).run()
                except (AssertionError, KeyError, ValueError, TypeError):
                    count += 1
                else:
                    pytest.fail(f"not noticed: {steps[number]}")
    assert count > 5
