"""token, headers and version."""

import os
import re
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import API_KEY, COMMAND, Command, Emulator

JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")


def test_token_is_printed_alone(command: Command, emulator: Emulator) -> None:
    result = command("token", *command.fleetup)
    assert result.status == 0
    assert JWT.fullmatch(result.out.rstrip("\n"))
    assert result.err == ""
    assert emulator.log() == ["POST /fleetup/token 200"]


def test_info_is_everything_but_the_token(command: Command) -> None:
    result = command("token", *command.fleetup, "--info")
    assert result.status == 0
    assert not JWT.search(result.out)
    assert re.search(r"^provider +fleetup$", result.out, re.M)
    assert re.search(r"^token +tok:[0-9a-f]{8}$", result.out, re.M)
    assert re.search(r"^expires +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(in (59 min \d+ s|1 h 0 min)\)$", result.out, re.M)


def test_json_of_a_token(command: Command) -> None:
    full, info = (command("token", *command.fleetup, "--json", *more).json for more in ([], ["--info"]))
    assert set(full) == {"provider", "scheme", "fingerprint", "expires_at", "expires_in_s", "token"}
    assert set(info) == set(full) - {"token"}
    assert (full["provider"], full["scheme"]) == ("fleetup", "jwt")
    assert JWT.fullmatch(full["token"])
    assert 3590 <= full["expires_in_s"] <= 3600
    expires_at = datetime.strptime(full["expires_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs((expires_at - datetime.now(UTC)).total_seconds() - full["expires_in_s"]) < 30


def test_headers_of_each_group(command: Command, emulator: Emulator) -> None:
    core = f"{emulator.mcf['api']}/connect-webservices/services/public/v1/customer/1001"
    jobs = f"{emulator.mcf['api']}/job-management/v1/customer/1001/jobs"
    assert set(command("headers", *command.fleetup, "--json", f"{emulator.fleetup}/devices").json) == {"Authorization", "x-api-key"}
    assert set(command("headers", *command.fleetup, "--scheme=legacy", "--json", f"{emulator.fleetup}/x").json) == {"token", "x-api-key"}
    assert command("headers", *command.mcf, "--json", f"{core}/tracking/live").json["Authorization"].startswith("Basic ")
    assert command("headers", *command.mcf, "--json", f"{core}/tire/events").json["Authorization"].startswith("Bearer ")
    assert command("headers", *command.mcf, "--json", jobs).json["x-connect-token"].startswith("TOKEN ")


def test_headers_are_lines_that_curl_takes(command: Command, emulator: Emulator) -> None:
    lines = command("headers", *command.fleetup, f"{emulator.fleetup}/devices").out.splitlines()
    assert re.fullmatch(rf"Authorization: Bearer {JWT.pattern}", lines[0])
    assert lines[1:] == [f"x-api-key: {API_KEY}"]


def test_no_header_for_another_origin(command: Command, emulator: Emulator) -> None:
    result = command("headers", *command.fleetup, "https://example.com/devices")
    assert (result.status, result.out) == (3, "")
    assert "https://example.com is not the provider's" in result.err
    assert emulator.log() == []


def test_group_named_by_api(command: Command) -> None:
    assert command("token", *command.mcf, "--api", "job_management", "--json", "--info").json["scheme"] == "connect_token"
    result = command("token", *command.mcf, "--api", "jobs")
    assert result.status == 3
    assert "jobs" in result.err


def test_version_and_what_is_linked(command: Command) -> None:
    assert re.fullmatch(r"fleetauth \d+\.\d+\.\d+\n", command("version").out)
    assert command("--version").out == command("version").out
    lines = [line.split(" ") for line in command("version", "--deps").out.splitlines()]
    assert [name for name, _ in lines] == ["fleetauth", "curl", "simdjson", "openssl", "tomlplusplus", "nlohmann-json"]
    assert all(version[0].isdigit() for _, version in lines)
    assert command("version", "--deps", "--json").json == dict(lines)


@pytest.mark.parametrize("words", [["version"], ["providers", "show", "fleet_engine", "--json"]])  # within a buffer, and beyond
def test_what_cannot_be_written_is_a_failure(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr


def test_reader_that_left_ends_it_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([COMMAND, "providers"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")
