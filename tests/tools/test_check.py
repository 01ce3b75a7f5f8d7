"""login, which keeps nothing, and status, which asks nobody."""

import json
from pathlib import Path

import pytest
from conftest import API_KEY, CLIENT_SECRET, SECRET, Command, Emulator

CANARIES = (API_KEY, SECRET, CLIENT_SECRET)
PASSWORD = {"FLEET_ORCHESTRATOR_PASSWORD": "demo-password"}


@pytest.fixture
def orchestrator(emulator: Emulator) -> list[str]:
    return ["--provider", "fleet_orchestrator", "--base-url", f"{emulator.url}/fo", "--ca-file", emulator.ca_file]


@pytest.fixture
def oauth2(emulator: Emulator) -> list[str]:
    words = ["--provider", "oauth2", "--client-id", "demo-client", "--ca-file", emulator.ca_file]
    return [*words, "--auth-base-url", f"{emulator.url}/oauth2", "--api-base-url", f"{emulator.url}/oauth2-api"]


def test_login_tells_what_it_got_and_no_secret(command: Command, emulator: Emulator) -> None:
    result = command("login", *command.fleetup)
    assert (result.status, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "Logged in to fleetup."
    facts = dict(line.split("  ", 1) for line in lines[2:])
    assert (facts["acct_id"], facts["scheme"].strip(), facts["renewal"]) == ("12345", "jwt", "by another login")
    assert "(in 59 min" in facts["expires"] or "(in 1 h" in facts["expires"]
    assert not any(canary in result.out for canary in (*CANARIES, "eyJ"))
    assert emulator.log() == ["POST /fleetup/token 200"]


def test_json_of_a_login(command: Command) -> None:
    told = command("login", *command.fleetup, "--json").json
    assert 3590 <= told.pop("expires_in_s") <= 3600
    assert told.pop("expires_at").endswith("Z")
    assert told == {
        "provider": "fleetup",
        "parameters": {"acct_id": "12345"},
        "scheme": "jwt",
        "asked_provider": True,
        "code_asked": False,
        "renewal": ["login"],
        "identity": None,
    }


def test_login_with_wrong_credentials(command: Command) -> None:
    result = command("login", *command.fleetup, FLEETUP_SECRET="wrong")
    assert (result.status, result.out) == (4, "")
    assert command("login", *command.fleetup, "--json", FLEETUP_SECRET="wrong").error["class"] == "InvalidCredentials"


def test_login_with_a_one_time_code_tells_who(command: Command, orchestrator: list[str]) -> None:
    words = [*orchestrator, "--email", "otp@fleet.example", "--otp-from", "echo 123456"]
    shown = command("login", *words, **PASSWORD).out
    assert "who: role     dispatcher\n" in shown
    assert "else by another login, which may ask for a one-time code again\n" in shown
    told = command("login", *words, "--json", **PASSWORD).json
    assert (told["code_asked"], told["renewal"], told["identity"]["role"]) == (True, ["refresh_token", "login"], "dispatcher")


def test_login_that_nobody_can_complete(command: Command, orchestrator: list[str]) -> None:
    result = command("login", *orchestrator, "--email", "otp@fleet.example", **PASSWORD)
    assert (result.status, result.out) == (12, "")


def test_login_stands_though_the_provider_does_not_tell_who(command: Command, orchestrator: list[str], emulator: Emulator) -> None:
    emulator.fault("/fo/auth/whoami", {"status": 403})
    result = command("login", *orchestrator, "--email", "admin@fleet.example", **PASSWORD)
    assert result.status == 0
    assert "Logged in" in result.out
    assert "did not tell who it is" in result.err


def test_login_of_an_account(command: Command, emulator: Emulator) -> None:
    words = ["--provider", "trimble_maps", "--base-url", f"{emulator.url}/trimble", "--ca-file", emulator.ca_file, "--account"]
    key = {"TRIMBLE_MAPS_API_KEY": "demo-partner-key"}
    assert command("login", *words, "FLTACC2", "--json", **key).json["parameters"] == {"account": "FLTACC2"}
    assert command("login", *words, "NOPE", **key).status == 4


def test_login_that_asks_the_provider_nothing_says_so(command: Command, emulator: Emulator) -> None:
    words = ["--provider", "samsara", "--base-url", f"{emulator.url}/samsara", "--ca-file", emulator.ca_file]
    result = command("login", *words, SAMSARA_API_TOKEN="any")
    assert result.status == 0
    assert result.out.startswith("Nothing was asked of samsara: ")
    told = command("login", *words, "--json", SAMSARA_API_TOKEN="any").json
    assert (told["asked_provider"], told["renewal"], told["expires_at"]) == (False, [], None)
    assert emulator.log() == []


def test_login_says_that_the_refresh_token_was_used(command: Command, oauth2: list[str]) -> None:
    secret = {"OAUTH2_CLIENT_SECRET": "demo-secret"}
    assert "refresh token" not in command("login", *oauth2, **secret).out
    shown = command("login", *oauth2, **secret, OAUTH2_REFRESH_TOKEN="demo-refresh-token").out
    assert "by the refresh token\n" in shown
    assert "it is spent now" in shown
    assert "demo-refresh-token" not in shown


PROFILES = """
[good]
provider = "fleetup"
acct_id = 12345
api_key = {{ file = "key" }}
secret = {{ env = "GOOD_SECRET" }}
base_url = "{url}"

[two_servers]
provider = "oauth2"
client_id = "client"
client_secret = {{ command = ["touch", "was-run"] }}
auth_base_url = "https://auth.example/oauth"
api_base_url = "https://api.example"

[unset]
provider = "fleetup"
acct_id = 12345
api_key = {{ file = "nothing-there" }}
secret = {{ env = "NOT_SET" }}

[half]
provider = "fleet_orchestrator"
email = "driver@fleet.example"

[lacking]
provider = "fleetup"
acct_id = 12345

[mistyped]
provider = "fleetop"

[nameless]
acct_id = 12345
"""


@pytest.fixture
def profiles(tmp_path: Path, emulator: Emulator) -> list[str]:
    (tmp_path / "key").write_text(API_KEY)
    (tmp_path / "c.toml").write_text(PROFILES.format(url=emulator.fleetup))
    return ["--config", "c.toml"]


BARE = {"FLEETUP_API_KEY": None, "FLEETUP_SECRET": None, "GOOD_SECRET": "canary-good-secret"}


def test_status_of_all_profiles(command: Command, profiles: list[str], emulator: Emulator, tmp_path: Path) -> None:
    result = command("status", *profiles, "--json", **BARE)
    assert (result.status, result.err) == (0, "")
    told = {report.pop("profile"): report for report in result.json}
    assert told["good"] == {
        "provider": "fleetup",
        "state": "complete",
        "problems": [],
        "not_run": [],
        "schemes": ["jwt", "legacy"],
        "origins": {"api": emulator.fleetup},
    }
    assert told["two_servers"]["state"] == "complete"
    assert told["two_servers"]["not_run"] == ["client_secret"]
    assert told["two_servers"]["schemes"] == ["client_credentials", "client_secret_post"]
    assert told["two_servers"]["origins"] == {"auth": "https://auth.example/oauth", "api": "https://api.example"}
    assert told["unset"]["state"] == "unreadable"
    assert told["unset"]["problems"] == [
        "api_key: cannot read nothing-there: No such file or directory",
        "secret: the environment variable NOT_SET is not set",
    ]
    for name, problem in {
        "half": '"email" and "password"',
        "lacking": 'option "secret"',
        "mistyped": 'did you mean "fleetup"?',
        "nameless": "the profile names no provider",
    }.items():
        assert told[name]["state"] == "unusable"
        assert problem in told[name]["problems"][0]
    assert not (tmp_path / "was-run").exists()
    assert emulator.log() == []


def test_status_is_a_table_with_remarks(command: Command, profiles: list[str], emulator: Emulator) -> None:
    result = command("status", *profiles, **BARE)
    table, remarks = result.out.split("\n\n")
    rows = [line.split() for line in table.splitlines()]
    assert rows[0] == ["PROFILE", "PROVIDER", "STATE", "SCHEMES", "ORIGIN"]
    assert ["good", "fleetup", "complete", "jwt,", "legacy", emulator.fleetup] in rows
    assert ["unset", "fleetup", "unreadable", "-", "-"] in rows
    assert "two_servers: not run: the program that prints client_secret\n" in remarks
    assert "unset: secret: the environment variable NOT_SET is not set\n" in remarks
    assert not any(canary in result.out for canary in (*CANARIES, "canary-good-secret"))


def test_status_takes_the_environment_of_the_providers(command: Command, profiles: list[str]) -> None:
    told = {report["profile"]: report["state"] for report in command("status", *profiles, "--json", GOOD_SECRET="s").json}
    assert told["lacking"] == "complete"


def test_status_without_a_file_lists_what_was_tried(command: Command, tmp_path: Path) -> None:
    result = command("status")
    assert (result.status, result.out) == (3, "")
    assert f"there are no profiles: no file {tmp_path}/.config/fleetauth/config.toml. Tried: --config (not given)" in result.err
    (tmp_path / "c.toml").write_text("[acme\n")
    assert "c.toml:1: " in command("status", "--config", "c.toml").err
    (tmp_path / "c.toml").write_text("")
    assert command("status", "--config", "c.toml", "--json").json == []


@pytest.mark.parametrize(
    ("profile", "not_run", "origins"),
    [
        ('provider = "fleet_engine"\nservice_account = PROGRAM', "service_account", ["api"]),
        ('provider = "fleet_engine"\nservice_account_file = PROGRAM', "service_account_file", ["api"]),
        ('provider = "fleet_engine_device"\nbackend_base_url = PROGRAM', "backend_base_url", ["api"]),
        ("provider = PROGRAM\nacct_id = 12345", "provider", []),
    ],
)
def test_what_a_program_prints_is_taken_to_be_there_and_not_made_up(
    command: Command, tmp_path: Path, profile: str, not_run: str, origins: list[str]
) -> None:
    (tmp_path / "c.toml").write_text("[fleet]\n" + profile.replace("PROGRAM", '{ command = ["vault", "read"] }'))
    [report] = command("status", "--config", "c.toml", "--json", **BARE).json
    assert (report["state"], report["not_run"], report["problems"]) == ("complete", [not_run], [])
    assert list(report["origins"]) == origins


def test_a_provider_without_parameters(command: Command, tmp_path: Path) -> None:
    descriptor = {
        "descriptor": 1,
        "name": "open",
        "title": "Open",
        "origins": {"api": "https://api.open.example"},
        "steps": {
            "token": {
                "class": "idempotent",
                "method": "GET",
                "origin": "api",
                "path": "/token",
                "token": ["/token"],
                "expiry": [{"fixed_s": 60}],
            }
        },
        "credentials": {"main": {"flow": "exchange", "step": "token"}},
        "schemes": {"bearer": {"credential": "main", "headers": {"Authorization": ["Bearer ", {"$token": True}]}}},
        "apis": {"all": {"origin": "api", "path": "/", "schemes": ["bearer"]}},
    }
    (tmp_path / "open.json").write_text(json.dumps(descriptor))
    (tmp_path / "open.toml").write_text('[open]\nprovider = "open.json"\n')
    [report] = command("status", "--config", "open.toml", "--json", **BARE).json
    assert report["state"] == "complete"
    assert command("providers", "show", "open.json").status == 0
