"""whoami, accounts, tokens of accounts, and one-time codes."""

import json

import pytest
from conftest import Command, Emulator


@pytest.fixture
def orchestrator(emulator: Emulator) -> list[str]:
    return ["--provider", "fleet_orchestrator", "--base-url", f"{emulator.url}/fo", "--ca-file", emulator.ca_file]


@pytest.fixture
def trimble(emulator: Emulator) -> list[str]:
    return ["--provider", "trimble_maps", "--base-url", f"{emulator.url}/trimble", "--ca-file", emulator.ca_file]


PASSWORD = {"FLEET_ORCHESTRATOR_PASSWORD": "demo-password"}
PARTNER = {"TRIMBLE_MAPS_API_KEY": "demo-partner-key"}


@pytest.mark.parametrize("role", ["admin", "dispatcher", "viewer", "driver"])
def test_whoami(command: Command, orchestrator: list[str], role: str) -> None:
    words = [*orchestrator, "--email", f"{role}@fleet.example"]
    assert f"role     {role}\n" in command("whoami", *words, **PASSWORD).out
    assert command("whoami", *words, "--json", **PASSWORD).json["email"] == f"{role}@fleet.example"


def test_whoami_where_nobody_tells(command: Command) -> None:
    result = command("whoami", *command.fleetup)
    assert (result.status, result.out) == (3, "")
    assert "does not tell who the caller is" in result.err


def test_accounts_and_a_token_of_one(command: Command, trimble: list[str]) -> None:
    assert command("accounts", *trimble, **PARTNER).out.splitlines() == [
        "ID       NAME",
        "FLTACC1  Fleet Account 1",
        "FLTACC2  Fleet Account 2",
    ]
    assert command("accounts", *trimble, "--json", **PARTNER).json[1] == {"id": "FLTACC2", "name": "Fleet Account 2"}
    assert command("token", *trimble, "--account", "FLTACC2", "--info", "--json", **PARTNER).json["provider"] == "trimble_maps"
    assert command("token", *trimble, "--account", "NOPE", **PARTNER).status == 4


def test_a_one_time_code_from_a_command(command: Command, orchestrator: list[str], emulator: Emulator) -> None:
    words = [*orchestrator, "--email", "otp@fleet.example"]
    assert command("whoami", *words, "--otp-from", "echo 123456", "--json", **PASSWORD).json["role"] == "dispatcher"
    assert emulator.log() == ["POST /fo/auth/login 200", "POST /fo/auth/verify-otp 200", "GET /fo/auth/whoami 200"]


def test_a_wrong_code_is_sent_once(command: Command, orchestrator: list[str], emulator: Emulator) -> None:
    result = command("token", *orchestrator, "--email", "otp@fleet.example", "--otp-from", "echo 999999", "--json", **PASSWORD)
    assert (result.status, result.error["class"], result.error["status"]) == (12, "OtpRequired", "E_OTP_REJECTED")
    assert emulator.log() == ["POST /fo/auth/login 200", "POST /fo/auth/verify-otp 401"]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("true canary", "printed nothing"),
        ("echo; echo 123456", "printed nothing"),
        ("echo 123456; exit 3 canary", "failed with status 3"),
        ("echo 123456; kill -9 $$", "was killed"),
    ],
)
def test_a_command_without_a_code(command: Command, orchestrator: list[str], emulator: Emulator, source: str, complaint: str) -> None:
    result = command("token", *orchestrator, "--email", "otp@fleet.example", "--otp-from", source, **PASSWORD)
    assert (result.status, result.out) == (3, "")
    assert "--otp-from: " in result.err
    assert complaint in result.err
    assert "canary" not in result.err
    assert emulator.log() == ["POST /fo/auth/login 200"]


def test_of_what_a_command_prints_the_first_line_is_the_code(command: Command, orchestrator: list[str]) -> None:
    words = [*orchestrator, "--email", "otp@fleet.example", "--info", "--otp-from"]
    assert command("token", *words, "printf '123456\\r\\nvalid for 30 s\\n'", **PASSWORD).status == 0


def test_what_a_provider_says_cannot_steer_the_terminal(command: Command, orchestrator: list[str], emulator: Emulator) -> None:
    name = "a\x1b[2Jb\nc\x7fd\u009be ü"
    emulator.fault("/fo/auth/whoami", {"status": 200, "body": json.dumps({"_id": name, "role": "admin"})})
    words = [*orchestrator, "--email", "admin@fleet.example"]
    for shown in (command("whoami", *words, **PASSWORD).out, command("login", *words, **PASSWORD).out):
        assert "a?[2Jb?c?d?e ü\n" in shown
    assert command("whoami", *words, "--json", **PASSWORD).json["id"] == name


def test_nobody_to_ask_for_a_code(command: Command, orchestrator: list[str]) -> None:
    result = command("token", *orchestrator, "--email", "otp@fleet.example", **PASSWORD)
    assert result.status == 12
    assert "--otp-from" in result.err


def test_a_code_from_the_secret_of_the_authenticator_app(command: Command, orchestrator: list[str]) -> None:
    secret = {"FLEET_ORCHESTRATOR_TOTP_SECRET": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}
    told = command("login", *orchestrator, "--email", "totp@fleet.example", "--json", **PASSWORD, **secret).json
    assert (told["code_asked"], told["parameters"]) == (False, {"email": "totp@fleet.example"})


def test_what_has_to_be_given(command: Command, orchestrator: list[str]) -> None:
    result = command("token", *orchestrator)
    assert result.status == 3
    assert '"api_key"; or "email" and "password"' in result.err
