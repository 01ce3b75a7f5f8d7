"""Sending a client's token requests oneself: what `transport=` takes.

A transport is called with an HttpRequest and returns an HttpResponse (an asynchronous client's: it may be a coroutine function).
It sends the request once, to exactly this URL, with TLS verified, without following redirects, without retrying, without decoding the
body, reads at most `max_body` bytes of it and returns in time. It raises TransportError for what the network did; any other
exception comes out unchanged at whoever asked for the token. `fleetauth.requests.Transport`, `fleetauth.httpx.Transport` and
`fleetauth.httpx.AsyncTransport` are such transports.
"""

from __future__ import annotations

from . import _native
from .errors import Closed, FleetAuthError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import Literal

    from ._host import Keeper

    Transport = Callable[["HttpRequest"], "HttpResponse"]
    AsyncTransport = Callable[["HttpRequest"], "HttpResponse | Awaitable[HttpResponse]"]
    Failure = Literal["dns", "connect", "tls", "proxy", "network", "timeout", "too_large"]

_STATUSES = {
    "dns": _native.E_DNS,
    "connect": _native.E_CONNECT,
    "tls": _native.E_TLS,
    "proxy": _native.E_PROXY,
    "network": _native.E_NETWORK,
    "timeout": _native.E_TIMEOUT,
    "too_large": _native.E_TOO_LARGE,
}


class TransportError(Exception):
    """The network failed. `failure`: dns, connect, tls, proxy (nothing was sent) or network, timeout, too_large (it may have been)."""

    def __init__(self, failure: Failure, message: str = "") -> None:
        if failure not in _STATUSES:
            raise ValueError(f"failure must be one of {', '.join(_STATUSES)}, not {failure!r}")
        super().__init__(message or failure)
        self.failure = failure
        self._kind: str | None = None


class HttpRequest:
    """A token request to send. Its URL, headers and body may hold secrets: its repr shows none of them."""

    __slots__ = ("body", "headers", "max_body", "method", "one_shot", "timeout", "url")

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    """In order; nothing needs to be added but what HTTP itself demands."""
    body: bytes
    timeout: float
    """Seconds within which the answer, to its last byte, is awaited."""
    max_body: int
    """The most bytes of body to read; above it raise TransportError("too_large")."""
    one_shot: bool
    """Sending it twice would do harm: use a new connection."""

    def __init__(
        self,
        *,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        timeout: float,
        max_body: int,
        one_shot: bool = False,
    ) -> None:
        """Clients make them; a test of a transport may too."""
        self.method, self.url, self.headers, self.body = method, url, tuple(headers), body
        self.timeout, self.max_body, self.one_shot = timeout, max_body, one_shot

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method}>"


class HttpResponse:
    """The answer: its status, its headers in the order received, its body as it came (not decoded)."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        self.status, self.headers, self.body = status, tuple(headers), body

    def __repr__(self) -> str:
        return f"<HttpResponse {self.status}>"


def request_of(call: _native.HttpCall) -> HttpRequest:
    """What a call asks a transport to send."""
    return HttpRequest(
        method=call.method,
        url=call.url,
        headers=((call.header_name(i) or "", call.header_value(i) or "") for i in range(call.header_count)),
        body=call.body,
        timeout=call.timeout_ms / 1000,
        max_body=call.max_body,
        one_shot=bool(call.one_shot),
    )


def answer(call: _native.HttpCall, response: HttpResponse) -> None:
    """Ends a call with the transport's answer. What is no longer wanted is dropped."""
    try:
        for name, value in response.headers:
            call.add_header(name, value)
        call.append_body(response.body)
        call.complete(response.status)
    except Closed:
        pass
    except FleetAuthError as error:
        if error.status != _native.E_TOO_LARGE:
            raise
        _fail(call, error.status, "too_large", 0)


def fail(call: _native.HttpCall | _native.SignCall, raised: BaseException, keeper: Keeper) -> None:
    """Ends a call with what the transport or signer raised; `keeper` holds that until it has come out at the caller."""
    status, cause, kind = _native.E_CALLBACK, raised, None
    if isinstance(raised, TransportError):
        status, cause, kind = _STATUSES[raised.failure], raised.__cause__ or raised, raised._kind
    # Ctrl-C and the cancelling of a task are this thread's affair: other callers learn only that it failed.
    number = keeper.keep(cause) if isinstance(cause, Exception) else 0
    if not _fail(call, status, kind or type(cause).__name__, number):
        keeper.release(number)


def _fail(call: _native.HttpCall | _native.SignCall, status: int, message: str, user_error: int) -> bool:
    try:
        call.fail(status, message, user_error)
    except Closed:
        return False
    return True
