"""The exit status tells the class of the failure; --json tells the rest."""

from typing import Any

import pytest
from conftest import Command, Emulator


@pytest.mark.parametrize(
    ("fault", "words", "exit_status", "error_class", "status"),
    [
        ({"status": 401}, [], 4, "InvalidCredentials", "E_INVALID_CREDENTIALS"),
        ({"status": 429, "headers": {"Retry-After": "3000"}}, [], 6, "RateLimited", "E_RATE_LIMITED"),
        ({"html": True}, [], 7, "ProviderUnavailable", "E_PROTOCOL"),
        ({"hold": "gate"}, ["--timeout-ms", "1"], 9, "TimeoutError", "E_TIMEOUT"),
        (None, ["--base-url", "https://127.0.0.1:1"], 8, "NetworkError", "E_CONNECT"),
        (None, ["--ca-pem", "nonsense", "--ca-file", ""], 3, "ConfigurationError", "E_CONFIG"),
        (None, ["--connect-timeout-ms", "soon"], 3, "ConfigurationError", "E_CONFIG"),
        (None, ["--base-url", "http://127.0.0.1"], 3, "ConfigurationError", "E_URL"),
    ],
)
def test_failures(
    command: Command, emulator: Emulator, fault: dict[str, Any] | None, words: list[str], exit_status: int, error_class: str, status: str
) -> None:
    if fault:
        emulator.fault("/fleetup/token", fault)
    plain = command("token", *command.fleetup, *words)
    assert (plain.status, plain.out) == (exit_status, "")
    assert plain.err.startswith("fleetauth: ")
    error = command("token", *command.fleetup, *words, "--json").error
    assert (error["class"], error["status"]) == (error_class, status)
    assert error["message"]


def test_access_denied(command: Command, emulator: Emulator) -> None:
    path = "/mcf-auth/masternauth-oauth/oauth/accessToken"
    emulator.fault(path, {"status": 403, "body": {"error": "access_denied"}})
    result = command("token", *command.mcf, "--scheme", "bearer", "--json")
    assert (result.status, result.error["class"]) == (5, "AccessDenied")
    assert (result.error["http_status"], result.error["provider_code"]) == (403, "access_denied")
    assert (result.error["provider"], result.error["retryable"]) == ("my_connected_fleet", False)


def test_retry_after_is_told(command: Command, emulator: Emulator) -> None:
    emulator.fault("/fleetup/token", {"status": 429, "headers": {"Retry-After": "3000"}})
    error = command("token", *command.fleetup, "--json").error
    assert error["retryable"] is True
    assert 2_990_000 <= error["retry_after_ms"] <= 3_000_000


def test_usage_error_as_json(command: Command) -> None:
    result = command("tokn", "--json")
    assert (result.status, result.error["class"]) == (2, "UsageError")
