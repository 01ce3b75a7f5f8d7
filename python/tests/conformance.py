"""Carries out one vector of tests/conformance: the asynchronous client, a transport and a signer that obey the vector, a manual clock."""

import asyncio
import base64
import json
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import fleetauth
from fleetauth import HttpRequest, HttpResponse, Provider, TransportError, aio
from fleetauth.testing import ManualClock
from fleetauth.transport import _STATUSES

PATIENCE = 5
CHALLENGE_KEY = b"a key of 32 bytes for challenges"
FAILURES = {fleetauth.errors.STATUSES[number][0]: failure for failure, number in _STATUSES.items()}


# What peek answers as None.
WOULD_BLOCK = {"status": "E_WOULD_BLOCK", "retryable": True, "http_status": 0, "in_doubt": False}


class HostFailed(Exception):
    """What the vector's transport or signer raises for E_CALLBACK: it comes out as it is."""


Wanted = TypeVar("Wanted", HttpRequest, bytes)
Outcome = TypeVar("Outcome", HttpResponse, bytes)


class Call(Generic[Wanted, Outcome]):
    """A request to send, or bytes to sign, and what is to come of it."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.cancelled = asyncio.Event()

    async def wait(self) -> Outcome:
        try:
            return await self.outcome
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


Sending = Call[HttpRequest, HttpResponse]
Signing = Call[bytes, bytes]


class Vector:
    def __init__(self, vector: dict[str, Any]) -> None:
        self._vector = vector
        self._clock = ManualClock(datetime.fromisoformat(vector["wall"]))
        self._calls: asyncio.Queue[Sending] = asyncio.Queue()
        self._signings: asyncio.Queue[Signing] = asyncio.Queue()
        self._unanswered: list[Any] = []
        self._operations: dict[str, asyncio.Task[Any]] = {}
        self._challenges: dict[str, fleetauth.Challenge] = {}
        self._done: dict[str, fleetauth.Token] = {}
        self._shown: list[object] = []

    async def run(self) -> None:
        with fleetauth.Runtime(clock=self._clock) as runtime:
            client = self._make_client(runtime)
            if client is None:
                return
            self._client = client
            try:
                for number, step in enumerate(self._vector["steps"]):
                    try:
                        await self._step(dict(step))
                    except (AssertionError, TimeoutError) as failure:
                        failure.add_note(f"step {number}: {json.dumps(step)}")
                        raise
                assert self._calls.empty(), "a request is left that was not asked for"
                assert self._signings.empty(), "something is left to sign that was not asked for"
            finally:
                await client.aclose()
                if self._operations:
                    _, waiting = await asyncio.wait(self._operations.values(), timeout=PATIENCE)
                    assert not waiting, "an operation has not completed"
                    await asyncio.gather(*self._operations.values(), return_exceptions=True)
            self._shown += [client, *self._done.values()]
            self._check_secrets()

    async def transport(self, request: HttpRequest) -> HttpResponse:
        call = Sending(request)
        self._shown.append(request)
        self._calls.put_nowait(call)
        return await call.wait()

    async def signer(self, data: bytes) -> bytes:
        call = Signing(data)
        self._signings.put_nowait(call)
        return await call.wait()

    def _make_client(self, runtime: fleetauth.Runtime) -> aio.Client | None:
        said = self._vector["client"]
        options = dict(said.get("options", {}))
        if options.get("signer") == "host":
            options["signer"] = self.signer
        provider: Provider | str
        try:
            if "descriptor" in said:
                descriptor = said["descriptor"]
                provider = Provider.from_json(descriptor if isinstance(descriptor, str) else json.dumps(descriptor), "descriptor")
            else:
                provider = said["provider"]
            client = aio.Client(provider, transport=self.transport, runtime=runtime, **options)
        except Exception as raised:
            assert "client_error" in self._vector, f"the client could not be made: {raised}"
            self._check_error(raised, self._vector["client_error"])
            self._check_secrets()
            return None
        assert "client_error" not in self._vector, "the client could be made"
        return client

    # ---- steps

    async def _step(self, step: dict[str, Any]) -> None:
        step.pop("note", None)
        kind = next(iter(step))
        await getattr(self, f"_step_{kind}")(step)

    async def _step_start(self, step: dict[str, Any]) -> None:
        await self._begin(step["start"], self._client.token(step.get("url"), step.get("method", "GET"), **_request(step)))

    async def _step_inquire(self, step: dict[str, Any]) -> None:
        ask = {"identity": self._client.whoami, "accounts": self._client.accounts}[step["what"]]
        await self._begin(step["inquire"], ask(**_request(step)))

    async def _step_answer_challenge(self, step: dict[str, Any]) -> None:
        challenge = self._challenges[step["of"]]
        if step.get("sealed"):
            sealed = self._client.seal_challenge(challenge, CHALLENGE_KEY)
            challenge = self._client.open_challenge(sealed, CHALLENGE_KEY)
            self._shown.append(challenge)
        await self._begin(step["answer_challenge"], self._client.answer(challenge, step["code"]))

    async def _step_log_out(self, step: dict[str, Any]) -> None:
        await self._begin(step["log_out"], self._client.logout())

    async def _begin(self, label: str, asked: Coroutine[Any, Any, Any]) -> None:
        self._operations[label] = asyncio.create_task(asked)
        await asyncio.sleep(0)  # it has started when the next step comes

    async def _step_expect_request(self, step: dict[str, Any]) -> None:
        call = await asyncio.wait_for(self._calls.get(), PATIENCE)
        _check_request(call.wanted, step["expect_request"])
        if "answer" in step:
            await _answer(call, step["answer"])
        elif "fail" in step:
            await _fail(call, step["fail"])
        else:
            self._unanswered.append(call)

    async def _step_expect_sign(self, step: dict[str, Any]) -> None:
        call = await asyncio.wait_for(self._signings.get(), PATIENCE)
        _check_to_sign(call.wanted, step["expect_sign"])
        if "signature_base64" in step:
            call.outcome.set_result(base64.b64decode(step["signature_base64"]))
            await _handed_over()
        elif "fail" in step:
            await _fail(call, step["fail"])
        else:
            self._unanswered.append(call)

    async def _step_answer(self, step: dict[str, Any]) -> None:
        await _answer(self._unanswered.pop(0), step["answer"])

    async def _step_expect_cancel(self, step: dict[str, Any]) -> None:
        await asyncio.wait_for(self._unanswered.pop(0).cancelled.wait(), PATIENCE)

    async def _step_expect_nothing(self, step: dict[str, Any]) -> None:
        await _handed_over()
        assert self._calls.empty(), "a request waits to be sent"
        assert self._signings.empty(), "something waits to be signed"
        early = [label for label, task in self._operations.items() if task.done()]
        assert not early, f"{early} completed"

    async def _step_done(self, step: dict[str, Any]) -> None:
        task = self._operations.pop(step["done"])
        await asyncio.wait([task], timeout=PATIENCE)
        assert task.done(), "the operation has not completed"
        if "error" in step:
            raised = asyncio.CancelledError() if task.cancelled() else task.exception()
            assert raised is not None, "the operation succeeded"
            self._check_error(raised, step["error"])
            if isinstance(raised, fleetauth.OtpRequired) and raised.challenge is not None:
                self._challenges[step["done"]] = raised.challenge
                self._shown.append(raised.challenge)
        elif "token" in step or "headers" in step:
            token = self._done[step["done"]] = task.result()
            self._check_token(token, step)
        elif "identity" in step:
            assert dict(task.result()) == step["identity"]
        elif "accounts" in step:
            assert [account._asdict() for account in task.result()] == step["accounts"]
        else:
            assert task.result() is None, "the operation has an outcome"

    async def _step_peek(self, step: dict[str, Any]) -> None:
        asked = step["peek"]
        given = _request(asked)
        given.pop("timeout", None)
        try:
            token = self._client.peek(asked.get("url"), asked.get("method", "GET"), **given)
        except fleetauth.FleetAuthError as raised:
            assert "error" in step, f"peek failed: {raised}"
            self._check_error(raised, step["error"])
            return
        if token is None:
            assert "error" in step, "memory had no token"
            assert step["error"].items() <= WOULD_BLOCK.items(), f"None means {WOULD_BLOCK}"
        else:
            assert "error" not in step, "memory had a token"
            self._check_token(token, step)

    async def _step_reject(self, step: dict[str, Any]) -> None:
        repeat = self._client.report_rejected(self._done[step["reject"]], step.get("http_status", 401), step.get("date"))
        assert ("retry" if repeat else "stop") == step["advice"]

    async def _step_advance_ms(self, step: dict[str, Any]) -> None:
        self._clock.advance(step["advance_ms"] / 1000)

    async def _step_step_wall_ms(self, step: dict[str, Any]) -> None:
        self._clock.step_wall(step["step_wall_ms"] / 1000)

    async def _step_cancel(self, step: dict[str, Any]) -> None:
        if (task := self._operations.get(step["cancel"])) is not None:  # completed: there is nothing to cancel
            task.cancel()
        await _handed_over()

    async def _step_close(self, step: dict[str, Any]) -> None:
        self._client.close()

    # ---- checks

    def _check_token(self, token: fleetauth.Token, step: dict[str, Any]) -> None:
        self._shown += [token, token.headers]
        if "headers" in step:
            assert dict(token.headers or {}) == step["headers"]
        for member, wanted in step.get("token", {}).items():
            actual: object
            if member == "secret":
                actual = token.reveal()
            elif member == "expires_in_ms":
                actual = None if token.expires_in is None else round(token.expires_in.total_seconds() * 1000)
            elif member == "expires_at":
                actual = token.expires_at
                wanted = None if wanted is None else datetime.fromisoformat(wanted)
            else:
                actual = getattr(token, member)
            assert actual == wanted, f"{member} is {actual}, not {wanted}"

    def _check_error(self, raised: BaseException, wanted: dict[str, Any]) -> None:
        self._shown.append(raised)
        if wanted.get("status") == "E_CANCELLED" and isinstance(raised, asyncio.CancelledError):
            return
        if wanted.get("status") == "E_CALLBACK" and isinstance(raised, HostFailed):
            return
        assert isinstance(raised, fleetauth.FleetAuthError), repr(raised)
        assert type(raised) is fleetauth.errors.STATUSES[raised.status][1]
        actual = {
            "status": raised.status_name,
            "http_status": raised.http_status or 0,
            "provider_code": raised.provider_code,
            "retryable": raised.retryable,
            "retry_after_ms": -1 if raised.retry_after is None else round(raised.retry_after.total_seconds() * 1000),
            "in_doubt": raised.in_doubt,
            "provider": raised.provider,
        }
        for member, value in wanted.items():
            if member == "message":
                for text in value:
                    assert text in str(raised), f"{text!r} is not in {str(raised)!r}"
            elif member != "class":
                assert actual[member] == value, f"{member} is {actual[member]!r}, not {value!r} ({raised})"

    def _check_secrets(self) -> None:
        for secret in self._vector.get("secrets", []):
            for thing in self._shown:
                for text in (repr(thing), str(thing), *map(repr, getattr(thing, "args", ()))):
                    assert secret not in text, f"{type(thing).__name__} shows a secret"


def _request(step: dict[str, Any]) -> dict[str, Any]:
    return {
        name.removesuffix("_ms"): value / 1000 if name.endswith("_ms") else value for name, value in (step.get("request") or {}).items()
    }


async def _answer(call: Sending, said: dict[str, Any]) -> None:
    call.outcome.set_result(_response(said))
    await _handed_over()


async def _fail(call: Call[Any, Any], said: dict[str, Any]) -> None:
    # The name of the exception's class is all of it that a message may repeat.
    cause = type(said.get("message", "HostFailed"), (HostFailed,), {})()
    if said["status"] == "E_CALLBACK":
        call.outcome.set_exception(cause)
    else:
        failure = TransportError(FAILURES[said["status"]])  # type: ignore[arg-type]
        failure.__cause__ = cause
        call.outcome.set_exception(failure)
    await _handed_over()


async def _handed_over() -> None:
    """Until the task of the transport or signer has given the library what it was waiting for."""
    for _ in range(3):
        await asyncio.sleep(0)


def _check_request(request: HttpRequest, wanted: dict[str, Any]) -> None:
    assert (request.method, request.url) == (wanted["method"], wanted["url"])
    if "headers" in wanted:
        sent = {name.lower(): value for name, value in request.headers if name.lower() != "user-agent"}
        assert sent == {name.lower(): value for name, value in wanted["headers"].items() if name.lower() != "user-agent"}
        assert len(sent) == sum(name.lower() != "user-agent" for name, _ in request.headers), "a header is sent twice"
    if "json" in wanted:
        # Compared as text with sorted members: 1 is not "1", not 1.0 and not true.
        assert json.dumps(json.loads(request.body), sort_keys=True) == json.dumps(wanted["json"], sort_keys=True)
    elif "form" in wanted:
        form = wanted["form"]
        members = list(form.items()) if isinstance(form, dict) else [tuple(member) for member in form]
        assert parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True) == members
    else:
        assert request.body == wanted.get("body", "").encode()
    if "one_shot" in wanted:
        assert request.one_shot == wanted["one_shot"]


def _check_to_sign(data: bytes, wanted: dict[str, Any]) -> None:
    assert data.decode() == wanted["data"]
    # A signer is given the bytes alone; they say what they are to be signed with.
    header = json.loads(base64.urlsafe_b64decode(data.split(b".")[0] + b"=="))
    assert (header["alg"], header.get("kid")) == (wanted["algorithm"], wanted.get("key_id"))


def _response(said: dict[str, Any]) -> HttpResponse:
    headers = {"Content-Type": "application/json", **said.get("headers", {})}
    pairs = [(name, one) for name, value in headers.items() if value is not None for one in (value if isinstance(value, list) else [value])]
    if "json" in said:
        body = json.dumps(said["json"]).encode()
    elif "body_base64" in said:
        body = base64.b64decode(said["body_base64"])
    elif "body_repeat" in said:
        body = (said["body_repeat"]["text"] * said["body_repeat"]["times"]).encode()
    else:
        body = said.get("body", "").encode()
    return HttpResponse(said["status"], pairs, body)
