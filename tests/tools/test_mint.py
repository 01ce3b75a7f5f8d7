"""mint, and claims in the commands that need a token."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Command, Emulator

DRIVER = ["--claim-set", "driver", "--claim", "vehicleid=v1"]


class Engine:
    def __init__(self, command: Command, emulator: Emulator) -> None:
        self.command = command
        self.emulator = emulator
        self.key = emulator.admin("GET", "/fleet_engine/service_account")
        self.words = ["--provider", "fleet_engine", "--base-url", f"{emulator.url}/fleet-engine", "--ca-file", emulator.ca_file]

    def __call__(self, name: str, *words: str, **environment: str | None) -> Any:
        return self.command(name, *self.words, *words, **{"FLEET_ENGINE_SERVICE_ACCOUNT": json.dumps(self.key), **environment})

    def url(self, resource: str) -> str:
        return f"{self.emulator.url}/fleet-engine/v1/providers/demo-project/{resource}"


@pytest.fixture
def engine(command: Command, emulator: Emulator) -> Engine:
    return Engine(command, emulator)


def payload(token: str) -> Any:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_token_is_printed_alone(engine: Engine, emulator: Emulator) -> None:
    result = engine("mint", *DRIVER)
    assert (result.status, result.err) == (0, "")
    claims = payload(result.out.rstrip("\n"))
    assert claims["authorization"] == {"vehicleid": "v1"}
    assert claims["iss"] == claims["sub"] == engine.key["client_email"]
    assert claims["exp"] == claims["iat"] + 3600
    assert emulator.log() == []


def test_json_and_info_are_those_of_token(engine: Engine) -> None:
    told = engine("mint", "--claim-set=server", "--json").json
    assert set(told) == {"provider", "scheme", "fingerprint", "expires_at", "expires_in_s", "token"}
    assert payload(told["token"])["authorization"] == {"tripid": "*", "vehicleid": "*"}
    assert 3580 <= told["expires_in_s"] <= 3590
    assert set(engine("token", "--claim-set=server", "--json", "--info").json) == set(told) - {"token"}
    assert "eyJ" not in engine("mint", *DRIVER, "--info").out


@pytest.mark.parametrize(
    ("words", "claims"),
    [
        (["--claim", "taskids=a"], {"taskids": ["a"]}),
        (["--claim", "taskids=b", "--claim=taskids=a"], {"taskids": ["b", "a"]}),
        (["--claim", "taskid=k=1", "--claim", "deliveryvehicleid=d ä"], {"taskid": "k=1", "deliveryvehicleid": "d ä"}),
        (["--claims", '{"tripid": "t1"}'], {"tripid": "t1"}),
        (["--claim-set", "delivery_consumer", "--claim", "trackingid=p1"], {"trackingid": "p1"}),
    ],
)
def test_claims(engine: Engine, words: list[str], claims: object) -> None:
    assert payload(engine("mint", *words, "--json").json["token"])["authorization"] == claims


def test_headers_and_requests_take_claims_too(engine: Engine, emulator: Emulator) -> None:
    headers = engine("headers", *DRIVER, "--json", engine.url("vehicles/v1")).json
    assert payload(headers["Authorization"].removeprefix("Bearer "))["authorization"] == {"vehicleid": "v1"}
    assert engine("request", *DRIVER, engine.url("vehicles/v1")).status == 0
    assert engine("request", *DRIVER, engine.url("vehicles/v2")).status == 5
    data = ["--data", '{"requests": [{"taskId": "k1"}]}']
    assert engine("request", "--claim", "taskids=k1", *data, engine.url("tasks:batchCreate")).status == 0
    assert len(emulator.log()) == 3


def test_the_claim_set_of_the_environment_is_for_commands_that_name_no_claims(engine: Engine) -> None:
    def authorization(*words: str) -> Any:
        return payload(engine("mint", *words, "--json", FLEET_ENGINE_CLAIM_SET="server").json["token"])["authorization"]

    assert authorization() == {"tripid": "*", "vehicleid": "*"}
    assert authorization(*DRIVER) == {"vehicleid": "v1"}
    assert authorization("--claim", "tripid=t1") == {"tripid": "t1"}
    assert authorization("--claim-set", "delivery_server") == {"taskid": "*", "trackingid": "*", "deliveryvehicleid": "*"}


def test_the_claim_set_of_a_profile(engine: Engine, command: Command, tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text(json.dumps(engine.key))
    (tmp_path / "config.toml").write_text(
        '[fleet]\nprovider = "fleet_engine"\nservice_account_file = "key.json"\nclaim_set = "server"\n'
        '[wrong]\nprovider = "fleet_engine"\nservice_account_file = "key.json"\nclaim_set = "servers"\n'
    )
    words = ["--config", "config.toml", "--profile", "fleet", "--json"]
    assert payload(command("mint", *words).json["token"])["authorization"] == {"tripid": "*", "vehicleid": "*"}
    assert payload(command("mint", *words, *DRIVER).json["token"])["authorization"] == {"vehicleid": "v1"}
    states = {state["profile"]: state for state in command("status", "--config", "config.toml", "--json").json}
    assert states["fleet"]["state"] == "complete"
    assert states["wrong"]["state"] == "unusable"
    assert 'did you mean "server"' in states["wrong"]["problems"][0]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--claim", "vehicleid"], 2, "--claim takes NAME=ID"),
        (["--claim", "vehicleid=a", "--claim", "vehicleid=b"], 2, "--claim vehicleid is given twice"),
        (["--claim", "vehicleid=a", "--claims", "{}"], 2, "--claim and --claims exclude each other"),
        (["now"], 2, "mint takes no argument"),
        (["--claim", "vehicle=a"], 3, 'no claim "vehicle" (did you mean "vehicleid"?)'),
        (["--claim-set", "drivers"], 3, 'no claim set "drivers" (did you mean "driver"?)'),
        (["--claim-set", "driver"], 3, 'takes "vehicleid"'),
        (["--claim", "vehicleid=secret/"], 3, "none of the characters /:?,#"),
        ([], 3, '"claim_set" and "claims"'),
    ],
)
def test_what_is_wrong_is_said(engine: Engine, words: list[str], status: int, message: str) -> None:
    result = engine("mint", *words)
    assert (result.status, result.out) == (status, "")
    assert message in result.err
    assert "secret" not in result.err


def test_a_provider_without_claims_mints_nothing(command: Command) -> None:
    result = command("mint", *command.fleetup)
    assert (result.status, result.out) == (2, "")
    assert "fleetup has no tokens for claims; use fleetauth token" in result.err
    assert "tokens are not for claims" in command("token", *command.fleetup, "--claim", "vehicleid=v1").err


def test_a_key_is_never_taken_from_the_command_line(engine: Engine) -> None:
    result = engine("mint", *DRIVER, "--service-account", "canary")
    assert (result.status, result.out) == (2, "")
    assert "--secret-file service_account=PATH" in result.err
    assert "canary" not in result.err
    missing = engine("mint", *DRIVER, FLEET_ENGINE_SERVICE_ACCOUNT=None)
    assert missing.status == 3
    assert "service_account_file" in missing.err


def test_a_device_mints_through_its_backend(command: Command, emulator: Emulator) -> None:
    words = ["--provider", "fleet_engine_device", "--ca-file", emulator.ca_file, "--api-base-url", f"{emulator.url}/fleet-engine"]
    words += ["--backend-base-url", f"{emulator.url}/fleet-engine-backend"]
    assert payload(command("mint", *words, *DRIVER).out.rstrip("\n"))["authorization"] == {"vehicleid": "v1"}
    assert emulator.log() == ["GET /fleet-engine-backend/token/driver/v1 200"]
    assert command("mint", *words, "--claim", "vehicleid=*").status == 3


def test_login_says_that_nobody_was_asked(engine: Engine, emulator: Emulator) -> None:
    shown = engine("login", *DRIVER).out
    assert shown.startswith("Nothing was asked of fleet_engine: the token is made here.")
    assert "by another signature" in shown
    told = engine("login", "--claim-set", "server", "--json").json
    assert (told["asked_provider"], told["renewal"]) == (False, [])
    assert told["expires_in_s"] >= 3580
    assert emulator.log() == []


def test_sets_and_claims_are_shown(command: Command) -> None:
    shown = command("providers", "show", "fleet_engine").out
    assert "Claim sets" in shown
    lines = {line.split()[0]: " ".join(line.split()) for line in shown.splitlines() if line.startswith("  ")}
    assert lines["server"].startswith("server no ids")
    assert lines["trusted_delivery_driver"].startswith("trusted_delivery_driver deliveryvehicleid, perhaps taskid")
    assert lines["delivery_consumer"].startswith("delivery_consumer trackingid or taskid")
    assert lines["taskids"].startswith("taskids ids")
    assert "Claim sets" not in command("providers", "show", "fleetup").out


@pytest.mark.parametrize("ahead", [-600, 4200])
def test_T_5_a_request_heals_a_wrong_clock(engine: Engine, emulator: Emulator, ahead: int) -> None:
    emulator.admin("POST", "/clock", {"advance_s": ahead})
    try:
        result = engine("request", *DRIVER, engine.url("vehicles/v1"))
    finally:
        emulator.admin("POST", "/clock", {"advance_s": -ahead})
    assert result.status == 0, result.err
    assert result.err == "fleetauth: HTTP 200, after the token was renewed\n"
