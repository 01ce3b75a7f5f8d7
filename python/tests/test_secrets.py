"""What the package shows, and leaves in memory, of secrets."""

import asyncio
import http.client
import io
import json
import logging
import pickle
import secrets
import signal
import socket
import subprocess
import sys
import threading
import traceback
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from test_transports import Server

import fleetauth.httpx
import fleetauth.requests
from fleetauth import HttpRequest, HttpResponse, Runtime, TransportError, aio
from fleetauth.testing import Emulator, ManualClock

SHARED = json.loads((Path(__file__).parents[2] / "tests/secrets/canaries.json").read_text())
CANARIES = {name: canary["value"] for name, canary in SHARED["canaries"].items()}
FORMS = {form: name for name, canary in SHARED["canaries"].items() for form in canary["forms"]}
TESTS = str(Path(__file__).parent)


def shown(thing: object) -> Iterator[str]:
    """All that a program would print, log, send or keep of a thing."""
    yield from (repr(thing), str(thing), f"{thing!a}", f"{thing}")
    if isinstance(thing, BaseException):
        yield "".join(traceback.format_exception(thing))
        yield repr(thing.args) + repr(thing.__dict__)
        # As error trackers do; the frames of the test hold secrets, of course.
        for frame in traceback.TracebackException.from_exception(thing, capture_locals=True).stack:
            if not frame.filename.startswith(TESTS):
                yield f"{frame.name}: {frame.locals}"
        for linked in (thing.__cause__, thing.__context__):
            if linked is not None:
                yield from shown(linked)
    try:
        yield json.dumps(thing, default=repr)
        yield pickle.dumps(thing, protocol=0).decode("latin-1")
    except (TypeError, AttributeError, pickle.PicklingError) as refused:
        yield str(refused)


def assert_silent(thing: object) -> None:
    for text in shown(thing):
        for form, name in FORMS.items():
            assert form not in text, f"{type(thing).__name__} shows {name}: {text}"


def test_L03_a_secret_is_found_in_every_form() -> None:
    token = CANARIES["token"]
    for text in (token, f"Basic {b64encode(f'user:{token}'.encode()).decode()}", token.encode("utf-16-le").decode("latin-1"), *FORMS):
        with pytest.raises(AssertionError):
            assert_silent(text)
        with pytest.raises(AssertionError):
            assert_silent(ValueError(f"<{text}>"))


class Provider:
    """What answers a client through one scenario, as a transport."""

    def __init__(self, client: dict[str, Any], scenario: dict[str, Any]) -> None:
        self.answers = SHARED["answers"] | {"good": client["good"]}
        self.scenario = scenario
        self.doing = "first"
        self.busy = False

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        assert_silent(request)
        name = self.scenario.get(self.doing, "good")
        if name == "silence":
            await asyncio.Event().wait()
        answer = self.answers[name]
        return HttpResponse(answer["status"], answer["headers"], answer["body"].encode())


Send = Callable[[HttpRequest], Awaitable[HttpResponse]]
SENDERS: dict[str, Callable[[], Send]] = {
    "requests": lambda: partial(asyncio.to_thread, fleetauth.requests.Transport()),
    "httpx": lambda: partial(asyncio.to_thread, fleetauth.httpx.Transport()),
    "httpx on a loop": fleetauth.httpx.AsyncTransport,
}


class Wire(Provider):
    """What answers, or does not, over a connection that one of our transports makes."""

    def __init__(self, client: dict[str, Any], scenario: dict[str, Any], send: Send) -> None:
        super().__init__(client, scenario)
        self._send = send
        self.failures: set[str] = set()

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        name = self.scenario.get(self.doing, "good")
        self.busy = True
        async with await asyncio.start_server(partial(self._serve, name), "127.0.0.1", 0) as server:
            origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            if name == "nobody":
                server.close()
            sent = HttpRequest(
                method=request.method,
                url=f"{origin}/{request.url.split('/', 3)[3]}",
                headers=request.headers,
                body=request.body,
                timeout=0.5 if name == "half" else 30,
                max_body=10 if name == "too large" else request.max_body,
            )
            try:
                return await self._send(sent)
            except TransportError as failed:
                assert_silent(failed)
                self.failures.add(failed.failure)
                raise
            finally:
                self.busy = False

    async def _serve(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = self.answers["good" if name not in self.answers else name]
        headers = [f"{key}: {value}\r\n" for key, value in answer["headers"]]
        body = answer["body"].encode()
        length = len(body) + (name in ("half", "cut off"))
        head = f"HTTP/1.1 {answer['status']} X\r\n{''.join(headers)}Content-Length: {length}\r\n\r\n"
        if name == "malformed":  # a library quotes what it takes for the status line
            head = f"{answer['body']}\r\n{head}"
        await reader.read(1)
        writer.write(head.encode("latin-1", "replace") + body)
        if name == "half":
            while await reader.read(65536):
                pass
        writer.close()


class Host:
    """A program that does everything with a client; what comes of it is looked at."""

    def __init__(self, provider: Provider, clock: ManualClock) -> None:
        self.provider = provider
        self.clock = clock
        self.errors: list[fleetauth.FleetAuthError] = []

    async def ask(self, doing: str, call: Awaitable[object]) -> Any:
        self.provider.doing = doing
        task = asyncio.ensure_future(call)
        while not (await asyncio.wait({task}, timeout=0.02))[0]:
            if not self.provider.busy:
                self.clock.advance(5)  # it waits for its turn, for another attempt, or for an answer that never comes
        try:
            answer = await task
        except fleetauth.FleetAuthError as failed:
            assert_silent(failed)
            self.errors.append(failed)
            return None
        assert_silent(answer)
        return answer

    async def use(self, client: aio.Client, url: str, request: dict[str, Any]) -> None:
        token = await self.ask("first", client.token(url, **request))
        assert token is not None or self.provider.scenario["first"] != "good", self.errors
        if self.errors and (challenge := self.errors[0].challenge):
            assert_silent(challenge)
            assert_silent(client.seal_challenge(challenge, secrets.token_bytes(32)))
            with pytest.raises(ValueError, match="UTF-8") as wrong:
                await client.answer(challenge, CANARIES["code"] + "\ud800")
            assert_silent(wrong.value)
            token = await self.ask("code", client.answer(challenge, CANARIES["code"]))
        await self.ask("inquiry", client.whoami())
        await self.ask("inquiry", client.accounts())
        if token is not None:
            client.report_rejected(token)
        await self.ask("renewal", client.token(url, **request))
        await self.ask("logout", client.logout())
        client.close()
        await self.ask("first", client.token(url, **request))
        assert_silent(client)
        assert_silent(vars(client))


async def go_through(providers: list[Provider], client: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    """Has a host meet each of them, with every logger at its most talkative."""
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    for provider in providers:
        clock = ManualClock()
        host = Host(provider, clock)
        with Runtime(clock=clock) as runtime:
            made = aio.Client(client["provider"], **client["options"], transport=provider, runtime=runtime)
            await host.use(made, client["url"], client["request"])
        host.errors.clear()  # they keep handles
    logging.getLogger().removeHandler(handler)
    logging.getLogger().setLevel(logging.WARNING)
    assert_silent(logged.getvalue())
    assert_silent(capfd.readouterr())


CLIENTS = [pytest.param(client, id=f"{client['provider']}-{'-'.join(client['secrets'])}") for client in SHARED["clients"]]


@pytest.mark.parametrize("client", CLIENTS)
async def test_L03_no_secret_is_shown_whatever_happens(client: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    scenarios = [one for one in SHARED["scenarios"] if one.get("sent", client["secrets"][0]) in client["secrets"]]
    await go_through([Provider(client, scenario) for scenario in scenarios], client, capfd)


FAILURES = {
    "good": set(),
    "nobody": {"connect"},
    "half": {"timeout"},
    "cut off": {"network"},
    "malformed": {"network"},
    "too large": {"too_large"},
    "refused": set(),
    "denied": set(),
}
ON_THE_WIRE = {
    one["provider"]: one for one in SHARED["clients"] if one["provider"] in ("fleet_orchestrator", "fleetup", "oauth2", "verizon_reveal")
}


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("client", ON_THE_WIRE.values(), ids=ON_THE_WIRE)
async def test_L03_our_transports_show_no_secret(
    client: dict[str, Any], sender: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    scenarios = [{"first": name} for name in FAILURES] + [{"renewal": name, "logout": name} for name in ("nobody", "half")]
    wires = [Wire(client, {"first": "good", **scenario}, SENDERS[sender]()) for scenario in scenarios]
    await go_through(wires, client, capfd)
    for wire in wires:
        assert wire.failures == FAILURES[wire.scenario.get("renewal", wire.scenario["first"])], wire.scenario


@pytest.mark.parametrize("transport", [fleetauth.requests.Transport, fleetauth.httpx.Transport])
def test_L03_an_interrupt_shows_no_secret(transport: Callable[[], Callable[[HttpRequest], HttpResponse]]) -> None:
    def interrupt(connection: socket.socket, _: bytes) -> None:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        connection.recv(1)

    server = Server(interrupt)
    body, url = CANARIES["password"].encode(), f"{server.url}/{CANARIES['secret'].encode().hex()}"
    request = HttpRequest(method="POST", url=url, headers=[("x-api-key", CANARIES["api_key"])], body=body, timeout=30, max_body=1000)
    with pytest.raises(KeyboardInterrupt) as caught:
        transport()(request)
    assert_silent(caught.value)
    server.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_L03_no_secret_is_shown_by_a_refusal_of_options(client: dict[str, Any], runtime: Runtime) -> None:
    refused = 0
    lone_surrogates = [{name: CANARIES[name] + "\ud800"} for name in client["options"] if name in CANARIES]
    for mistake in client["mistakes"] + lone_surrogates:
        for kind in (fleetauth.Client, aio.Client):
            try:
                assert_silent(kind(client["provider"], **client["options"] | mistake, runtime=runtime))
            except (fleetauth.FleetAuthError, TypeError, ValueError) as wrong:
                assert_silent(wrong)
                refused += 1
    assert refused > len(client["mistakes"]), "most are refused by both"


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
