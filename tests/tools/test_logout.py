"""logout: what is revoked, and what is said when nothing is."""

import pytest
from conftest import Command, Emulator

SECRET = {"OAUTH2_CLIENT_SECRET": "demo-secret"}
WITH_TOKEN = {**SECRET, "OAUTH2_REFRESH_TOKEN": "to-be-revoked"}


@pytest.fixture
def oauth2(emulator: Emulator) -> list[str]:
    emulator.admin("POST", "/config", {"oauth2": {"first_refresh_tokens": ["to-be-revoked"]}})
    words = ["--provider", "oauth2", "--client-id", "demo-client", "--ca-file", emulator.ca_file]
    return [*words, "--auth-base-url", f"{emulator.url}/oauth2", "--api-base-url", f"{emulator.url}/oauth2-api"]


@pytest.mark.parametrize("scheme", [[], ["--scheme", "refresh_token_post"]])
def test_the_refresh_token_is_revoked(command: Command, oauth2: list[str], emulator: Emulator, scheme: list[str]) -> None:
    words = [*oauth2, *scheme, "--revoke-path", "revoke"]
    result = command("logout", *words, **WITH_TOKEN)
    assert (result.status, result.err) == (0, "")
    assert result.out == "The refresh_token is revoked at oauth2. Take it out of the configuration.\n"
    assert emulator.log() == ["POST /oauth2/revoke 200"]
    assert command("token", *words, **WITH_TOKEN).status == 13
    assert command("logout", *words, "--json", **WITH_TOKEN).json == {"provider": "oauth2", "revoked": ["refresh_token"]}


def test_a_refresh_token_that_cannot_be_revoked_is_a_failure(command: Command, oauth2: list[str], emulator: Emulator) -> None:
    result = command("logout", *oauth2, **WITH_TOKEN)
    assert (result.status, result.out) == (3, "")
    assert "the refresh_token is not revoked: oauth2 needs revoke_path for that" in result.err
    assert emulator.log() == []


def test_a_revocation_that_fails_is_a_failure(command: Command, oauth2: list[str], emulator: Emulator) -> None:
    words = [*oauth2, "--revoke-path", "revoke"]
    assert command("logout", *words, **{**WITH_TOKEN, "OAUTH2_CLIENT_SECRET": "wrong"}).status == 4
    emulator.fault("/oauth2/revoke", {"status": 503})
    result = command("logout", *words, "--json", **WITH_TOKEN)
    assert (result.status, result.out, result.error["class"]) == (7, "", "ProviderUnavailable")


@pytest.mark.parametrize("more", [[], ["--revoke-path", "revoke"]])
def test_without_a_refresh_token_there_is_nothing_to_revoke(
    command: Command, oauth2: list[str], emulator: Emulator, more: list[str]
) -> None:
    for environment, scheme in ((SECRET, []), (WITH_TOKEN, ["--scheme", "client_credentials"])):
        result = command("logout", *oauth2, *more, *scheme, **environment)
        assert result.status == 0
        assert result.out == "Nothing was revoked: the client logs in without a refresh token, and no token is kept between commands.\n"
    assert emulator.log() == []


def test_a_provider_that_cannot_revoke(command: Command, emulator: Emulator) -> None:
    result = command("logout", *command.fleetup)
    assert (result.status, result.out) == (0, "Nothing was revoked: fleetup has no way to revoke what the client logs in with.\n")
    told = command("logout", *command.fleetup, "--json").json
    assert told == {"provider": "fleetup", "revoked": [], "reason": "fleetup has no way to revoke what the client logs in with"}
    assert emulator.log() == []


def test_samsara(command: Command, emulator: Emulator) -> None:
    emulator.admin("POST", "/config", {"samsara": {"first_refresh_tokens": ["of-a-customer"]}})
    words = ["--provider", "samsara", "--base-url", f"{emulator.url}/samsara", "--ca-file", emulator.ca_file, "--client-id", "demo-client"]
    given = {"SAMSARA_CLIENT_SECRET": "demo-secret", "SAMSARA_REFRESH_TOKEN": "of-a-customer"}
    assert command("logout", *words, **given).status == 0
    assert emulator.log() == ["POST /samsara/oauth2/revoke 200"]
    assert command("token", *words, **given).status == 13
    assert "no way to revoke" in command("logout", *words[:-2], SAMSARA_API_TOKEN="any").out
