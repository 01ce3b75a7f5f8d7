"""What the adapters for HTTP libraries share: one repeat after a refusal, and reading an answer within its limits."""

from __future__ import annotations

import socket
import time

from .transport import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .transport import HttpRequest


class Deadline:
    """The time that is left for a request, its answer included."""

    def __init__(self, request: HttpRequest) -> None:
        self._end = time.monotonic() + request.timeout

    def left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TransportError("timeout")
        return left


def read_body(chunks: Iterable[bytes], request: HttpRequest, deadline: Deadline) -> bytes:
    """The whole body; TransportError when it is too large or too slow."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > request.max_body:
            raise TransportError("too_large")
        deadline.left()
    return bytes(body)


def causes(raised: BaseException | None) -> Iterator[BaseException]:
    """The exception, what it holds, and what caused it."""
    seen: set[int] = set()
    waiting = [raised]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None)]
        waiting += [argument for argument in one.args if isinstance(argument, BaseException)]


def is_name_failure(raised: BaseException) -> bool:
    return any(isinstance(one, socket.gaierror) for one in causes(raised))
