"""providers list, show and lint."""

import json
from pathlib import Path

import pytest
from conftest import Command

DESCRIPTOR = Path(__file__).parents[2] / "core/provider/fleetup.json"


@pytest.mark.parametrize("words", [["providers"], ["providers", "list"]])
def test_list(command: Command, words: list[str]) -> None:
    lines = command(*words).out.splitlines()
    descriptors = sorted(path.stem for path in DESCRIPTOR.parent.glob("*.json") if not path.name.endswith(".schema.json"))
    assert [line.split()[0] for line in lines] == ["NAME", *descriptors]
    listed = command(*words, "--json").json
    assert [provider["name"] for provider in listed] == descriptors
    assert {"name": "my_connected_fleet", "title": "myConnectedFleet"} in listed


def test_show_tells_parameters_and_their_variables(command: Command) -> None:
    shown = command("providers", "show", "fleetup").out
    for fact in ("acct_id", "FLEETUP_SECRET", "required, secret", "https://api.fleetup.net", "legacy"):
        assert fact in shown
    parameters = command("providers", "show", "fleetup", "--json").json["parameters"]
    assert parameters["secret"]["secret"] is True
    assert parameters["acct_id"]["env"] == "FLEETUP_ACCT_ID"


@pytest.mark.parametrize("name", sorted(path.stem for path in DESCRIPTOR.parent.glob("*.json") if "schema" not in path.name))
def test_show_of_every_provider(command: Command, name: str) -> None:
    result = command("providers", "show", name)
    assert (result.status, result.err) == (0, "")
    assert f"({name})" in result.out.splitlines()[0]


def test_show_an_origin_that_clients_give(command: Command) -> None:
    assert "auth  (each client gives its own)  The authorization server" in command("providers", "show", "oauth2").out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not valid JSON: it is empty"),
        (b"[]", "must be an object, not an array"),
        (b'{"descriptor":', "not valid JSON"),
        (b'{"descriptor": 1}', 'member "schemes" is missing'),
        (b"\xff\xfe", "must be UTF-8"),
        (b"[" * 100_000, "it is nested too deeply"),
    ],
)
def test_lint_of_what_is_no_descriptor(command: Command, tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "bad.json").write_bytes(text)
    for words in (["lint", "bad.json"], ["show", "bad.json"]):
        result = command("providers", *words)
        assert (result.status, result.out) == (3, "")
        assert message in result.err


def test_lint_of_a_folder(command: Command) -> None:
    assert "Is a directory" in command("providers", "lint", ".").err


def test_show_what_is_not_there(command: Command) -> None:
    result = command("providers", "show", "fleetop")
    assert result.status == 3
    assert 'did you mean "fleetup"?' in result.err


def test_lint_accepts_a_good_descriptor(command: Command) -> None:
    assert command("providers", "lint", str(DESCRIPTOR)).out == f"{DESCRIPTOR}: ok\n"
    assert command("providers", "lint", str(DESCRIPTOR), "--json").json == {"file": str(DESCRIPTOR), "name": "fleetup", "ok": True}


def test_lint_names_file_and_line(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(DESCRIPTOR.read_text().replace('"method": "POST"', '"method": "POTS"'))
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "POTS" in text)
    result = command("providers", "lint", str(path))
    assert result.status == 3
    assert f"{path}:{line}: " in result.err
    assert command("providers", "lint", str(path), "--json").error["status"] == "E_DESCRIPTOR"


def test_provider_from_a_file(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**json.loads(DESCRIPTOR.read_text()), "name": "mine"}))
    words = ["mine.json" if word == "fleetup" else word for word in command.fleetup]
    assert command("token", *words, "--info", "--json").json["provider"] == "mine"


def test_file_that_is_not_there(command: Command) -> None:
    result = command("providers", "lint", "nothing.json")
    assert (result.status, result.err) == (3, "fleetauth: cannot read nothing.json: No such file or directory\n")
