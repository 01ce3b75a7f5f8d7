"""One queue for each event loop: its descriptor is a reader of the loop, so nothing of the library ever calls into it."""

from __future__ import annotations

import asyncio
import itertools
import weakref

from .. import _native
from .._base import COMPLETIONS
from .._host import Keeper
from ..errors import Closed, FleetAuthError
from ..signer import complete
from ..transport import answer, fail, request_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .._base import Start
    from .._runtime import Runtime
    from ..signer import AsyncSigner
    from ..transport import AsyncTransport
    from ._client import Client


class Pump:
    """Used on its loop only. Lives as long as a client on the loop needs it."""

    def __init__(self, runtime: Runtime, transport: AsyncTransport | None, signer: AsyncSigner | None) -> None:
        self._queue = _native.Queue(runtime._native, _native.QUEUE_LOOP)
        self._fd = wakeup_fd(self._queue)
        self._manual = runtime._manual
        self._transport = transport
        self._signer = signer
        self._keeper = Keeper()
        self._tags = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[_native.Event]] = {}
        self._serving: dict[int, asyncio.Task[None]] = {}
        self._clients: weakref.WeakSet[Client] = weakref.WeakSet()
        self._open = True
        asyncio.get_running_loop().add_reader(self._fd, self._drain)

    def attach(self, client: Client) -> None:
        if client not in self._clients:
            self._clients.add(client)
            if self._transport is not None or self._signer is not None:
                self._queue.serve(client._native)

    def detach(self, client: Client) -> None:
        self._clients.discard(client)
        self._close_when_unused()

    @property
    def open(self) -> bool:
        return self._open

    async def run(self, start: Start) -> _native.Event:
        """Starts an operation and waits for the event that completes it; cancelling the task cancels the operation."""
        tag = next(self._tags)
        operation = start(self._queue, tag)
        if self._manual:  # the descriptor tells of work only from the first drive on
            asyncio.get_running_loop().call_soon(self._drive)
        future: asyncio.Future[_native.Event] = asyncio.get_running_loop().create_future()
        self._waiting[tag] = future
        try:
            return await future
        except asyncio.CancelledError:
            operation.cancel()
            raise
        finally:
            self._waiting.pop(tag, None)

    def _drive(self) -> None:
        if self._open:
            self._drain()

    def _drain(self) -> None:
        while (event := self._queue.next(0)) is not None:
            self._handle(event)
            if not self._open:
                return
        self._close_when_unused()

    def _handle(self, event: _native.Event) -> None:
        if event.kind in COMPLETIONS:
            self._complete(event)
        elif event.kind == _native.EVENT_HTTP_CALL:
            self._send(event)
        elif event.kind == _native.EVENT_SIGN_CALL:
            self._sign(event)
        elif event.kind in (_native.EVENT_HTTP_CANCEL, _native.EVENT_SIGN_CANCEL):
            if event.tag in self._serving:
                self._serving[event.tag].cancel()
        elif event.kind == _native.EVENT_RELEASE:
            self._keeper.release(event.tag)
        elif event.kind == _native.EVENT_CLOSED:
            self._close()

    def _complete(self, event: _native.Event) -> None:
        future = self._waiting.pop(event.tag, None)
        if future is not None and not future.done():
            future.set_result(event)

    def _send(self, event: _native.Event) -> None:
        try:
            call = event.http_call()
        except Closed:  # somebody else took it, or its answer is no longer wanted
            return
        self._serve(call, lambda: self._answer(call))

    async def _answer(self, call: _native.HttpCall) -> None:
        assert self._transport is not None
        response = self._transport(request_of(call))
        answer(call, response if not hasattr(response, "__await__") else await response)

    def _sign(self, event: _native.Event) -> None:
        try:
            call = event.sign_call()
        except Closed:  # as above
            return
        self._serve(call, lambda: self._answer_signing(call))

    async def _answer_signing(self, call: _native.SignCall) -> None:
        assert self._signer is not None
        signature = self._signer(call.data)
        complete(call, signature if not hasattr(signature, "__await__") else await signature)

    def _serve(self, call: _native.HttpCall | _native.SignCall, respond: Callable[[], Coroutine[object, object, None]]) -> None:
        task = self._serving[call.id] = asyncio.get_running_loop().create_task(self._carry_out(call, respond))
        task.add_done_callback(lambda _, number=call.id: self._serving.pop(number, None))  # type: ignore[misc]

    async def _carry_out(self, call: _native.HttpCall | _native.SignCall, respond: Callable[[], Coroutine[object, object, None]]) -> None:
        try:
            await respond()
        except BaseException as raised:
            fail(call, raised, self._keeper)
            if not isinstance(raised, Exception):
                raise

    def _close_when_unused(self) -> None:
        if not self._clients and not self._waiting and not self._serving:
            self._close()

    def _close(self) -> None:
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._fd)
            del self._queue


def wakeup_fd(queue: _native.Queue) -> int:
    fd = queue.wakeup_fd
    if fd < 0:
        raise FleetAuthError("the process has no descriptors left: free some and call again", status=_native.E_RESOURCE)
    return fd
