"""Our transports against the table that all host transports are held to (tests/hosts)."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import fleetauth.httpx
import fleetauth.requests
from fleetauth import HttpRequest, HttpResponse, TransportError

HOSTS = Path(__file__).resolve().parents[2] / "tests" / "hosts"
TABLE = json.loads((HOSTS / "cases.json").read_text("utf-8"))
CASES = {case["name"]: case for case in TABLE["cases"]}
CANCELLED = [name for name, case in CASES.items() if any("cancel" in script for script in case.get("connections", []))]

Ask = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Asks the server that plays the cases."""
    with subprocess.Popen([sys.executable, HOSTS / "server.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:

        def answer(question: dict[str, Any]) -> dict[str, Any]:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(json.dumps(question) + "\n")
            server.stdin.flush()
            return json.loads(server.stdout.readline())

        yield answer


@pytest.fixture(autouse=True)
def no_handle_is_left() -> None:
    """The library itself takes no part in these tests: no garbage needs to be collected after each."""


@pytest.fixture(autouse=True)
def hostile_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**TABLE["environment"], "NETRC": str(HOSTS / "netrc")}.items():
        monkeypatch.setenv(name, value)


def request_of(call: dict[str, Any]) -> HttpRequest:
    return HttpRequest(
        method=call["method"],
        url=call["url"],
        headers=[(name, value) for name, value in call["headers"]],
        body=base64.b64decode(call["body"]),
        timeout=call["timeout_ms"] / 1000,
        max_body=call["max_body"],
        one_shot=call["one_shot"],
    )


def told(response: HttpResponse) -> dict[str, Any]:
    return {"status": response.status, "headers": list(response.headers), "body": base64.b64encode(response.body).decode()}


def failed(error: TransportError) -> dict[str, Any]:
    return {"failure": error.failure, "cause": repr(error.__cause__)}


def play(ask: Ask, name: str, transport: Callable[[HttpRequest], HttpResponse]) -> list[str]:
    answer = ask({"play": name})
    while "call" in answer:
        try:
            outcome = told(transport(request_of(answer["call"])))
        except TransportError as error:
            outcome = failed(error)
        answer = ask({"outcome": outcome})
    return answer["problems"]


async def send_async(ask: Ask, call: dict[str, Any], transport: fleetauth.httpx.AsyncTransport) -> dict[str, Any]:
    sending = asyncio.ensure_future(transport(request_of(call)))
    if call["cancel"]:
        assert await asyncio.to_thread(ask, {"await_cancel": True}) == {}
        sending.cancel()
    try:
        return told(await sending)
    except TransportError as error:
        return failed(error)
    except asyncio.CancelledError:
        return {"failure": "cancelled"}


@pytest.mark.parametrize("transport", [fleetauth.requests.Transport, fleetauth.httpx.Transport], ids=["requests", "httpx"])
@pytest.mark.parametrize("name", [name for name in CASES if name not in CANCELLED])
def test_synchronous_transports(ask: Ask, name: str, transport: Callable[[], Any]) -> None:
    assert play(ask, name, transport()) == []


@pytest.mark.parametrize("name", CASES)
async def test_asynchronous_transports(ask: Ask, name: str) -> None:
    sender = fleetauth.httpx.AsyncTransport()
    answer = ask({"play": name})
    while "call" in answer:
        outcome = await send_async(ask, answer["call"], sender)
        answer = await asyncio.to_thread(ask, {"outcome": outcome})
    assert answer == {"problems": []}


def careless(request: HttpRequest) -> HttpResponse:
    """What one writes who has not read what a transport must not do."""
    with requests.Session() as session:
        session.trust_env = "HTTP_PROXY" in os.environ
        try:
            answer = session.request(request.method, request.url, headers=dict(request.headers), data=request.body, timeout=request.timeout)
        except requests.RequestException as raised:
            raise TransportError("connect") from raised
        return HttpResponse(answer.status_code, answer.headers.items(), answer.content)


@pytest.mark.parametrize(
    "name",
    [
        "H04 T03 a 307 to another place is not followed",
        "N09 a reset after the request: it may have arrived",
        "N12 headers that trickle are given up in time",
        "N18 a body of one byte more is refused",
        "N19 a compressed body is not decoded",
        "headers are sent as they were given",
        "T14 a proxy and a .netrc of the environment are not used",
    ],
)
def test_a_careless_transport_is_found_out(ask: Ask, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not name.startswith("T14"):
        for variable in TABLE["environment"]:
            monkeypatch.delenv(variable)
    assert play(ask, name, careless) != []
