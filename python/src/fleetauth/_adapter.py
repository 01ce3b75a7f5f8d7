"""What the transports on HTTP libraries share: the time a request has, its answer within limits, and what a failure means."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import ssl
import threading
import time
from contextvars import ContextVar
from typing import NamedTuple

import certifi

from .transport import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from typing_extensions import Self

    from .transport import Failure, HttpRequest, HttpResponse

    Later = Callable[[float, Callable[[], None]], Callable[[], object]]

current: ContextVar[Exchange | None] = ContextVar("fleetauth_exchange", default=None)


def silence(*loggers: str) -> None:
    """Keeps what HTTP libraries log of a token request, with its URL or its answer's headers, out of logs."""
    for name in loggers:
        logging.getLogger(name).addFilter(_is_not_ours)


def _is_not_ours(record: logging.LogRecord) -> bool:
    return current.get() is None


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Trusts these authorities, or certifi's, and nothing of the environment: ssl.create_default_context would obey SSLKEYLOGFILE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca_file or certifi.where())
    return context


def _on_a_thread(delay: float, act: Callable[[], None]) -> Callable[[], object]:
    """Acts after a while; answers what prevents that, or waits for its end."""
    timer = threading.Timer(delay, act)
    timer.daemon = True
    timer.start()

    def stop() -> None:
        timer.cancel()
        timer.join()

    return stop


class Errors(NamedTuple):
    """What an HTTP library raises when the network fails, and when the proxy does. All else is a mistake in a program or its set-up."""

    network: tuple[type[Exception], ...]
    proxy: type[Exception]


class Exchange:
    """One request on its way: the time it has left, its answer included, and whether it may have left this machine."""

    def __init__(self, request: HttpRequest, errors: Errors, later: Later = _on_a_thread) -> None:
        self._end = time.monotonic() + request.timeout
        self._max_body = request.max_body
        self._body = bytearray()
        self._errors = errors
        self._later = later
        self._line: socket.socket | None = None
        self.sent = False

    def __enter__(self) -> Self:
        self._stop = self._later(max(0.0, self._end - time.monotonic()), self._hang_up)
        current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        current.set(None)
        try:
            self._stop()
        finally:
            if self._line is not None:
                self._line.close()

    def left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TransportError("timeout" if self.sent else "connect")
        return left

    def watch(self, connection: Any) -> None:
        """Hangs up when the time is over: HTTP libraries time each read, and a server that sends a byte now and then never ends."""
        self._line = socket.socket(fileno=os.dup(connection.fileno()))  # TLS takes the original over
        if time.monotonic() >= self._end:  # the timer found nothing to hang up
            self._hang_up()

    def begin_sending(self) -> None:
        self.left()  # Python's TLS takes a connection that was hung up on for one that is still to be made
        self.sent = True

    def _hang_up(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def add(self, chunk: bytes) -> None:
        """Takes a part of the body; TransportError when it is too large or too slow."""
        self._body += chunk
        if len(self._body) > self._max_body:
            raise TransportError("too_large")
        self.left()

    def body(self) -> bytes:
        """The whole body."""
        self.left()  # the end of the time looks like the end of a body without a length
        return bytes(self._body)

    def error(self, raised: BaseException) -> BaseException:
        """What is raised instead, once nothing refers to `raised` any more: HTTP libraries' exceptions and their frames hold the request.

        Of an exception it keeps the names of the classes and what TLS complains about.
        """
        if not isinstance(raised, Exception):  # Ctrl-C or the end of the task
            raised.__cause__ = raised.__context__ = None
            return raised.with_traceback(None)
        if isinstance(raised, TransportError):
            return TransportError(raised.failure)
        said = ", ".join(dict.fromkeys(getattr(one, "verify_message", type(one).__name__) for one in causes(raised)))
        if not isinstance(raised, self._errors.network):
            return RuntimeError(f"the transport could not send the request ({said})")
        failed = TransportError(self._failure(raised), said)
        failed._kind = type(_first_cause(raised)).__name__
        return failed

    def _failure(self, raised: Exception) -> Failure:
        if self.sent:
            return "timeout" if time.monotonic() >= self._end else "network"
        if isinstance(raised, self._errors.proxy):
            return "proxy"
        if any(isinstance(one, ssl.SSLError) for one in causes(raised)):
            return "tls"
        return "dns" if any(isinstance(one, socket.gaierror) for one in causes(raised)) else "connect"


def carry_out(exchange: Exchange, send: Callable[[], HttpResponse]) -> HttpResponse:
    """Sends it; what is raised shows nothing of it."""
    with exchange:
        try:
            return send()
        except BaseException as raised:
            failed = exchange.error(raised)
    try:
        raise failed  # here it has no context
    finally:
        del failed


def _first_cause(raised: BaseException) -> BaseException:
    """What it all began with."""
    while cause := raised.__cause__ or raised.__context__:
        raised = cause
    return raised


def causes(raised: BaseException | None) -> Iterator[BaseException]:
    """The exception, what it holds, and what caused it."""
    seen: set[int] = set()
    waiting: list[Any] = [raised]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
