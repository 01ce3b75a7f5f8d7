"""Profiles: where the file is, what a value can be, what is said when something is wrong."""

import json
from pathlib import Path

import pytest
from conftest import API_KEY, SECRET, Command, Emulator

NO_ENVIRONMENT = {"FLEETUP_API_KEY": None, "FLEETUP_SECRET": None}


@pytest.fixture
def profile(command: Command, emulator: Emulator, tmp_path: Path) -> Path:
    path = tmp_path / ".config/fleetauth/config.toml"
    path.parent.mkdir(parents=True)
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    path.write_text(f"""
[acme]
provider = "fleetup"
acct_id = 12345
api_key = {{ env = "ACME_KEY" }}
secret = {{ file = "{tmp_path}/secret" }}
base_url = "{emulator.fleetup}"
ca_file = "{emulator.ca_file}"

[printed]
provider = "fleetup"
acct_id = 12345
api_key = {{ command = ["sh", "-c", "echo {API_KEY}; exit ${{FAIL:-0}}"] }}
secret = {{ command = ["cat", "{tmp_path}/secret"] }}
base_url = "{emulator.fleetup}"
ca_file = "{emulator.ca_file}"
""")
    return path


def test_values_by_reference(command: Command, profile: Path) -> None:
    assert command("token", "--profile", "acme", "--info", **NO_ENVIRONMENT, ACME_KEY=API_KEY).status == 0
    assert command("token", "--profile", "printed", "--info", **NO_ENVIRONMENT).status == 0


def test_request_trusts_the_profiles_ca(command: Command, profile: Path, emulator: Emulator) -> None:
    result = command("request", "--profile", "printed", f"{emulator.fleetup}/devices", **NO_ENVIRONMENT)
    assert result.status == 0, result.err


def test_command_line_is_nearer_than_the_profile_and_that_than_the_environment(command: Command, profile: Path) -> None:
    near = {"FLEETUP_API_KEY": "wrong", "FLEETUP_SECRET": "wrong", "FLEETUP_ACCT_ID": "1"}
    assert command("token", "--profile", "printed", "--info", **near).status == 0
    assert command("token", "--profile", "printed", "--info", "--acct-id", "1", **near).status == 4


@pytest.mark.parametrize("way", ["--config", "FLEETAUTH_CONFIG", "XDG_CONFIG_HOME"])
def test_places_of_the_file(command: Command, profile: Path, tmp_path: Path, way: str) -> None:
    place = tmp_path / "elsewhere/fleetauth/config.toml"
    place.parent.mkdir(parents=True)
    profile.rename(place)
    words = ["--config", str(place)] if way == "--config" else []
    variables = {"FLEETAUTH_CONFIG": {way: str(place)}, "XDG_CONFIG_HOME": {way: str(tmp_path / "elsewhere")}}.get(way, {})
    assert command("token", "--profile", "printed", "--info", *words, **NO_ENVIRONMENT, **variables).status == 0


def test_missing_file_lists_what_was_tried(command: Command, tmp_path: Path) -> None:
    result = command("token", "--profile", "acme")
    assert result.status == 3
    assert result.err == (
        f"fleetauth: there is no profile 'acme': no file {tmp_path}/.config/fleetauth/config.toml. "
        "Tried: --config (not given), FLEETAUTH_CONFIG (not set), XDG_CONFIG_HOME (not set), HOME\n"
    )


def test_folder_one_is_in_is_not_read(command: Command, profile: Path, tmp_path: Path) -> None:
    profile.rename(tmp_path / "fleetauth.toml")
    assert "there is no profile" in command("token", "--profile", "printed").err


def test_missing_value_lists_what_was_tried(command: Command, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[acme]\nprovider = "fleetup"\nacct_id = 1\napi_key = "k"\n')
    result = command("token", "--profile", "acme", "--config", "c.toml", **NO_ENVIRONMENT)
    assert result.status == 3
    for tried in ("--secret-stdin (not given)", "the profile acme (has none)", "FLEETUP_SECRET (not set)"):
        assert tried in result.err


def test_numbers_after_what_is_more_bytes_than_characters(command: Command, tmp_path: Path) -> None:
    text = '\ufeffacme.acct_id = 12345\r\n"€" = { secret = "€", acct_id = 12345 } # €\r\n'
    (tmp_path / "c.toml").write_text(text, encoding="utf-8", newline="")
    states = json.loads(command("status", "--config", "c.toml", "--json").out)
    assert [state["problems"] for state in states] == [["the profile names no provider"]] * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[other]\n[more]\n", "c.toml has no profile 'acme'; it has: more, other"),
        ("", "c.toml has no profile 'acme'; it has: none"),
        ("[acme]\nprovider = \n", "c.toml:2: "),
        ("[acme]\nacct_id = 1\n", "the profile 'acme' names no provider"),
        ('[acme]\nprovider = "fleetop"\n', 'did you mean "fleetup"?'),
        ('[acme]\nprovider = "fleetup"\nsecret = { env = "NOT_SET" }\n', "acme.secret: the environment variable NOT_SET is not set"),
        ('[acme]\nprovider = "fleetup"\nsecret = { file = "nothing" }\n', "cannot read nothing: No such file or directory"),
        ('[acme]\nprovider = "fleetup"\nsecret = { command = ["nothing-here"] }\n', "acme.secret: cannot run nothing-here: No such file"),
        ('[acme]\nprovider = "fleetup"\nsecret = { command = ["false"] }\n', "acme.secret: false failed with status 1"),
        ('[acme]\nprovider = "fleetup"\nsecret = { keyring = "x" }\n', "acme.secret must be text"),
        ('[acme]\nprovider = "fleetup"\nsecret = [1]\n', "acme.secret must be text"),
        ('[acme]\nprovider = "fleetup"\nsecret = 0xdeadbeef\n', "acme.secret: write it in decimal digits or in quotes"),
        ('[acme]\nprovider = "fleetup"\nsecret = 1_000\n', "acme.secret: write it in decimal digits or in quotes"),
        ('[acme]\nprovider = "fleetup"\n"acct_id" = 5 # €\nsecret = +5\n', "acme.secret: write it in decimal digits or in quotes"),
        ('[acme]\nprovider = "fleetup"\nsecret = { command = ["cat", 5] }\n', "acme.secret must be text"),
        ('[acme]\nprovider = "fleetup"\nsecret = { command = ["cat", "a\\u0000"] }\n', "acme.secret has an argument with a NUL"),
        ('[acme]\nprovider = "fleetup"\nsecret = { env = "HOME\\u0000" }\n', "acme.secret refers to a name with control characters"),
        ('[acme]\nprovider = "fleetup"\nsecret = { file = "\\u001b[2J" }\n', "acme.secret refers to a name with control characters"),
        ('[acme]\nprovider = "fleetup"\n"\\u001b[2J" = 1\n', "c.toml:3: a name has control characters"),
        ('[acme]\nprovider = "fleetup" \u00e4\n', "c.toml:2: "),
        ('[acme]\nprovider = "fleetup"\nacct = 1\n', "has no option 'acct'"),
        ('[acme]\nprovider = "fleetup"\nacct_id = "x"\n', '"acct_id" must be a whole number'),
    ],
)
def test_what_is_wrong_is_named(command: Command, emulator: Emulator, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    result = command("token", "--profile", "acme", "--config", "c.toml", FLEETUP_ACCT_ID="12345")
    assert (result.status, result.out) == (3, "")
    assert message in result.err
    assert emulator.log() == []


@pytest.mark.parametrize("value", [f'"{SECRET}', "9" * 30, "0x" + "c" * 30, "1" + "0" * 400 + ".0"])
def test_value_of_a_profile_is_not_in_the_message(command: Command, tmp_path: Path, value: str) -> None:
    (tmp_path / "c.toml").write_text(f'[acme]\nprovider = "fleetup"\nacct_id = "{SECRET}"\nsecret = {value}\n')
    for result in (command("token", "--profile", "acme", "--config", "c.toml"), command("status", "--config", "c.toml")):
        assert (result.status, result.out) == (3, "")
        assert "c.toml:4: " in result.err
        assert SECRET not in result.err
        assert value not in result.err
