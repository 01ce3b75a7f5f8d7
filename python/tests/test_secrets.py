"""What the package shows, and leaves in memory, of secrets that are made at run time."""

import json
import pickle
import secrets
import subprocess
import sys
import traceback
import urllib.parse
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fleetauth
from fleetauth import HttpRequest, HttpResponse, Runtime
from fleetauth.testing import Emulator


def forms(secret: str) -> Iterator[str]:
    """A secret as it is and as it may have been encoded."""
    plain = secret.encode()
    yield secret
    yield plain.hex()
    yield plain.hex().upper()
    yield "".join(f"%{byte:02X}" for byte in plain)
    yield urllib.parse.quote_plus(secret)
    for before in range(3):  # as a part of something longer
        whole = b64encode(bytes(before) + plain).decode().rstrip("=")
        yield whole[-(-before * 8 // 6) : len(whole) - 1]


def shown(thing: object) -> Iterator[str]:
    """All that a program would print, log, send or keep of a thing."""
    yield from (repr(thing), str(thing), f"{thing!a}")
    if isinstance(thing, BaseException):
        yield "".join(traceback.format_exception(thing))
        yield repr(thing.args) + repr(thing.__dict__)
        for linked in (thing.__cause__, thing.__context__):
            if linked is not None:
                yield from shown(linked)
    try:
        yield json.dumps(thing, default=repr)
        yield pickle.dumps(thing, protocol=0).decode("latin-1")
    except (TypeError, AttributeError, pickle.PicklingError) as refused:
        yield str(refused)


def assert_silent(thing: object, needles: dict[str, str]) -> None:
    for text in shown(thing):
        for name, needle in needles.items():
            for form in forms(needle):
                assert form not in text, f"{type(thing).__name__} shows {name}"


def test_L03_a_secret_is_found_in_every_form() -> None:
    secret = secrets.token_urlsafe(24)
    for text in (
        secret,
        secret.encode().hex(),
        b64encode(f"user:{secret}".encode()).decode(),
        b64encode(f"me:{secret}!".encode()).decode(),
    ):
        with pytest.raises(AssertionError):
            assert_silent(text, {"it": secret})


def credentials(provider: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Options for a client, with a random text for each that is secret, and these texts."""
    parameters = json.loads(fleetauth.Provider(provider).description)["parameters"]
    needles = {name: secrets.token_urlsafe(24) for name, spec in parameters.items() if spec.get("secret")}
    options: dict[str, Any] = dict(needles)
    for name, spec in parameters.items():
        if name not in options and "default" not in spec and not name.endswith(("_file", "_ms", "_s")):
            options[name] = 4711 if spec["type"] == "integer" else "name"
    return {name: value for name, value in options.items() if name not in ("totp_secret", "claim_set")}, needles


@pytest.mark.parametrize("provider", fleetauth.Provider.builtins())
def test_L03_nothing_shows_a_secret_of_any_provider(provider: str) -> None:
    options, needles = credentials(provider)
    needles["token"] = secrets.token_urlsafe(24)
    everything = " ".join(needles.values())
    token = dict.fromkeys(("token", "accessToken", "access_token", "jwt"), needles["token"])
    answers = [
        HttpResponse(401, [("Content-Type", "application/json")], json.dumps({"error": everything, "message": everything}).encode()),
        HttpResponse(200, [("Content-Type", "text/html"), ("Set-Cookie", everything)], everything.encode()),
        HttpResponse(302, [("Location", f"https://{needles['token']}.example/?{urllib.parse.quote_plus(everything)}")], b""),
        HttpResponse(200, [("Content-Type", "application/json")], json.dumps(token | {"expires_in": everything}).encode()),
        HttpResponse(200, [("Content-Type", "application/json")], json.dumps(token | {"expires_in": 3600}).encode()),
    ]
    for answer in answers:

        def transport(request: HttpRequest, answer: HttpResponse = answer) -> HttpResponse:
            assert_silent(request, needles)
            return answer

        with Runtime() as runtime:
            try:
                client = fleetauth.Client(provider, **options, transport=transport, runtime=runtime, total_timeout=0.3)
            except (fleetauth.FleetAuthError, TypeError) as refused:
                assert_silent(refused, needles)
                continue
            assert_silent(client, needles)
            assert_silent(vars(client), needles)
            for call in (client.token, client.whoami, client.accounts, client.logout):
                try:
                    assert_silent(call(), needles)
                except fleetauth.FleetAuthError as failed:
                    assert_silent(failed, needles)
            client.close()


LENT = """
import gc, json, os, sys
import fleetauth
secret = bytearray(32)
os.readv(0, [secret])
runtime = fleetauth.Runtime()
client = fleetauth.FleetUp(**json.loads(sys.argv[1]), secret=eval(sys.argv[2])(secret), runtime=runtime)
client.token()
print('held', flush=True)
os.read(0, 1)
secret[:] = bytes(32)
client.close()
runtime.close()
del client, runtime
gc.collect()
print('released', flush=True)
os.read(0, 1)
"""


def memory_of(process: int) -> Iterator[bytes]:
    with Path(f"/proc/{process}/maps").open() as maps, Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            where, access = line.split()[:2]
            if "r" not in access or "[v" in line:
                continue
            begin, end = (int(address, 16) for address in where.split("-"))
            memory.seek(begin)
            try:
                yield memory.read(end - begin)
            except OSError:
                continue  # a file that is shorter than its mapping


def copies(process: int, secret: bytes) -> int:
    return sum(mapped.count(secret) for mapped in memory_of(process))


@pytest.mark.parametrize("kind", ["memoryview", "(lambda secret: secret)"], ids=["memoryview", "bytearray"])
def test_L04_of_a_buffer_that_was_wiped_nothing_is_left(fleetauth_emulator: Emulator, kind: str) -> None:
    secret = secrets.token_hex(16).encode()
    account = {"acctId": 4711, "secret": secret.decode(), "api_key": "test-api-key"}
    fleetauth_emulator.admin("POST", "/config", {"fleetup": {"accounts": [account]}})
    options = {name: value for name, value in fleetauth_emulator.options("fleetup").items() if name != "secret"}
    command = [sys.executable, "-c", LENT, json.dumps(options), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(secret)
        process.stdin.flush()
        assert process.stdout.readline() == b"held\n"
        assert copies(process.pid, secret) >= 2  # the buffer and the client's own
        process.stdin.write(b".")
        process.stdin.flush()
        assert process.stdout.readline() == b"released\n"
        assert copies(process.pid, secret) == 0
        process.stdin.close()
        assert process.wait(timeout=20) == 0
