"""The token server of the examples: what it answers, and a device that gets its tokens there."""

import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization

import fleetauth
from fleetauth import FleetEngine, FleetEngineDevice, Runtime
from fleetauth.testing import Emulator

EXAMPLE = Path(__file__).parents[2] / "examples" / "python" / "token_server.py"
KINDS = {
    "driver": "vehicleid",
    "consumer": "tripid",
    "delivery_driver": "deliveryvehicleid",
    "delivery_consumer": "trackingid",
}


@pytest.fixture
def token_server() -> Any:
    spec = importlib.util.spec_from_file_location("token_server", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def engine(fleetauth_emulator: Emulator, live: Runtime) -> Iterator[FleetEngine]:
    with FleetEngine(**fleetauth_emulator.options("fleet_engine"), runtime=live) as client:
        yield client


def get(app: Callable[..., Any], path: bytes, **more: Any) -> tuple[int, dict[str, Any]]:
    environ: dict[str, Any] = {
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": "",
        "SCRIPT_NAME": "/mounted",
        "wsgi.input": io.BytesIO(),
        **more,
    }
    setup_testing_defaults(environ)
    started: list[Any] = []
    answer = validator(app)(environ, lambda status, headers, exc_info=None: started.extend((status, dict(headers))))
    body = b"".join(answer)
    answer.close()
    status, headers = started
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "application/json"
    assert int(headers["Content-Length"]) == len(body)
    return int(status.split()[0]), json.loads(body)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_and_its_times(token_server: Any, engine: FleetEngine, fleetauth_emulator: Emulator, kind: str) -> None:
    asked: list[tuple[str, str]] = []

    def authorise(environ: dict[str, Any], kind: str, id: str) -> bool:
        asked.append((kind, id))
        return environ["HTTP_AUTHORIZATION"] == "Bearer of this test"

    app = token_server.TokenServer(engine, authorise)
    path = f"/token/{kind}/id ü".encode()
    status, answer = get(app, path, HTTP_AUTHORIZATION="Bearer of this test")
    assert status == 200
    names = ("token", "creation_timestamp_ms", "expiration_timestamp_ms")
    if not kind.startswith("delivery"):
        names = ("jwt", "creationTimestamp", "expirationTimestamp")
    assert tuple(answer) == names
    account = json.loads(fleetauth_emulator.options("fleet_engine")["service_account"])
    key = serialization.load_pem_private_key(account["private_key"].encode(), None).public_key()
    claims = jwt.decode(answer[names[0]], key, algorithms=["RS256"], audience="https://fleetengine.googleapis.com/")  # type: ignore[arg-type]
    assert claims["authorization"] == {KINDS[kind]: "id ü"}
    assert [answer[name] for name in names[1:]] == [claims["iat"] * 1000, claims["exp"] * 1000]
    assert get(app, path, HTTP_AUTHORIZATION="Bearer of this test") == (200, answer)
    assert get(app, path, HTTP_AUTHORIZATION="another") == (403, {"error": "not allowed"})
    assert asked == [(kind, "id ü")] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_allowed_unless_the_backend_says_so(token_server: Any, engine: FleetEngine, kind: str) -> None:
    assert get(token_server.TokenServer(engine), f"/token/{kind}/id".encode()) == (403, {"error": "not allowed"})


@pytest.mark.parametrize("answer", [None, "no", 1, object()])
def test_no_answer_but_true_is_a_yes(token_server: Any, engine: FleetEngine, answer: Any) -> None:
    app = token_server.TokenServer(engine, lambda *_: answer)
    assert get(app, b"/token/driver/id") == (403, {"error": "not allowed"})


@pytest.mark.parametrize(
    "id", [b"", b"*", b"canary" + b"x" * 59, b"canary/1", b"canary:1", b"canary?", b"canary,1", b"canary\n", b"canary\xff"]
)
def test_ids_that_break_the_rules_are_refused_and_not_repeated(token_server: Any, engine: FleetEngine, id: bytes) -> None:
    asked: list[str] = []

    def authorise(environ: dict[str, Any], kind: str, id: str) -> bool:
        asked.append(id)
        return True

    for kind in KINDS:
        status, answer = get(token_server.TokenServer(engine, authorise), f"/token/{kind}/".encode() + id)
        assert status == 400
        assert "canary" not in answer["error"]
    assert not {"", "*"} & set(asked)
    assert get(token_server.TokenServer(engine, authorise), b"/token/driver")[0] == 400


@pytest.mark.parametrize(
    "path", [b"/", b"", b"/token", b"/token/", b"/token/server/x", b"/token/fleet_reader/x", b"/x/driver/v1", b"/driver/v1"]
)
def test_there_is_nothing_else(token_server: Any, engine: FleetEngine, path: bytes) -> None:
    app = token_server.TokenServer(engine, lambda *_: True)
    assert get(app, path)[0] == 404
    assert get(app, b"/token/driver/v1", REQUEST_METHOD="POST", CONTENT_LENGTH="0")[0] == 404


def test_a_signer_s_failure_is_left_to_the_server(token_server: Any, runtime: Runtime) -> None:
    mine = LookupError("mine")

    def sign(data: bytes) -> bytes:
        raise mine

    with FleetEngine(client_email="a@b", signer=sign, runtime=runtime) as client:
        app = token_server.TokenServer(client, lambda *_: True)
        with pytest.raises(LookupError) as caught:
            app({"REQUEST_METHOD": "GET", "PATH_INFO": "/token/driver/v1"}, lambda *_: None)
    assert caught.value is mine


def test_a_device_gets_its_tokens_there(live: Runtime, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    server = subprocess.Popen([sys.executable, EXAMPLE, "0"], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert server.stdout is not None
        tokens, fleet_engine = server.stdout.readline(), server.stdout.readline()
        backend = re.search(r"http://127\.0\.0\.1:\d+", tokens)
        called = re.search(r"--cacert (\S+) .* (https://\S+)$", fleet_engine)
        assert backend is not None, tokens
        assert called is not None, fleet_engine
        options = {"backend_base_url": backend[0], "allow_loopback_http": True, "runtime": live}
        with FleetEngineDevice(authorization="Bearer demo", **options) as device:  # type: ignore[arg-type]
            opened = {}
            for kind, claim in KINDS.items():
                token = device.mint(kind, **{claim: "vehicle-1"})  # type: ignore[arg-type]
                assert device.mint(kind, **{claim: "vehicle-1"}).from_cache  # type: ignore[arg-type]
                headers = {"Authorization": f"Bearer {token.reveal()}"}
                opened[kind] = requests.get(called[2], headers=headers, verify=called[1], timeout=10).status_code
            assert opened == {kind: 200 if kind == "driver" else 403 for kind in KINDS}
        with FleetEngineDevice(**options) as device, pytest.raises(fleetauth.AccessDenied) as caught:  # type: ignore[arg-type]
            device.mint("driver", vehicleid="vehicle-1")
        assert caught.value.http_status == 403
    finally:
        server.terminate()  # its emulator ends with it
        rest, _ = server.communicate()
    assert rest == ""
