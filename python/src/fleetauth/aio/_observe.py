"""Watching what a runtime does, on an event loop."""

from __future__ import annotations

import asyncio
import json

from .. import _native
from .._observe import observing_queue
from .._runtime import Runtime, runtime_or_shared
from ._pump import wakeup_fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ..events import Event


class Events:
    """What a runtime (the shared one unless given) does from now on, for `async for`: logins, renewals, requests, failures.

    Events that find no room while nobody takes them are dropped, and counted. It ends when it is closed or its runtime is. For one
    task at a time.
    """

    def __init__(self, *, runtime: Runtime | None = None) -> None:
        self._queue = observing_queue(runtime_or_shared(runtime))
        self._fd = wakeup_fd(self._queue)
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._ended:
            event = self._queue.next(0)
            if event is None:
                await self._until_readable()
            elif event.kind == _native.EVENT_NOTICE:
                told: Event = json.loads(event.notice)
                return told
            elif event.kind == _native.EVENT_CLOSED:
                self._ended = True
        raise StopAsyncIteration

    async def _until_readable(self) -> None:
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._fd, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._fd)

    def close(self) -> None:
        """Ends it after what has happened before."""
        self._queue.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None) -> None:
        self.close()
