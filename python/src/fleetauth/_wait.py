"""Waiting for an operation on the calling thread, with Ctrl-C working."""

from __future__ import annotations

import itertools
import select

from . import _native
from ._base import COMPLETIONS
from ._host import Keeper
from .errors import Closed
from .signer import complete
from .transport import answer, fail, request_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ._base import Start
    from ._runtime import Runtime
    from .signer import Signer
    from .transport import Transport

_SLICE_MS = 100  # between two of them signals are seen; in manual mode they drive the network


def until_readable(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.poll()


class Waiter:
    """One thread's queue. Belongs to that thread; a transport or signer that is called while it waits may wait here in turn."""

    def __init__(self, runtime: Runtime, transport: Transport | None, signer: Signer | None) -> None:
        self._queue = _native.Queue(runtime._native, _native.QUEUE_SYNC)
        # Without a descriptor (manual mode, or none is left) the wait is the library's, in slices.
        self._fd = -1 if runtime._manual else self._queue.wakeup_fd
        self._transport = transport
        self._signer = signer
        self._keeper = Keeper()
        self._tags = itertools.count(1)
        self._completed: dict[int, _native.Event | None] = {}

    def run(self, start: Start) -> _native.Event:
        """Starts an operation and answers with the event that completes it. However this ends early, the operation is cancelled."""
        tag = next(self._tags)
        operation = start(self._queue, tag)
        self._completed[tag] = None
        try:
            while (event := self._completed[tag]) is None:
                self._step()
        except BaseException:
            operation.cancel()
            raise
        finally:
            del self._completed[tag]
        return event

    def _step(self) -> None:
        event = self._queue.next(_SLICE_MS if self._fd < 0 else 0)
        if event is not None:
            self._handle(event)
        elif self._fd >= 0:
            until_readable(self._fd)

    def _handle(self, event: _native.Event) -> None:
        if event.kind in COMPLETIONS:
            if event.tag in self._completed:
                self._completed[event.tag] = event
        elif event.kind == _native.EVENT_HTTP_CALL:
            self._send(event)
        elif event.kind == _native.EVENT_SIGN_CALL:
            self._sign(event)
        elif event.kind == _native.EVENT_RELEASE:
            self._keeper.release(event.tag)
        elif event.kind == _native.EVENT_CLOSED:
            raise Closed("the runtime is closed", status=_native.E_CLOSED)

    def _send(self, event: _native.Event) -> None:
        try:
            call = event.http_call()
        except Closed:  # somebody else took it, or its answer is no longer wanted
            return
        transport = self._transport
        assert transport is not None
        self._serve(call, lambda: answer(call, transport(request_of(call))))

    def _sign(self, event: _native.Event) -> None:
        try:
            call = event.sign_call()
        except Closed:  # as above
            return
        signer = self._signer
        assert signer is not None
        self._serve(call, lambda: complete(call, signer(call.data)))

    def _serve(self, call: _native.HttpCall | _native.SignCall, carry_out: Callable[[], None]) -> None:
        # A *_CANCEL event is of no use to a thread that is busy with the call: its answer is dropped.
        try:
            carry_out()
        except BaseException as raised:
            fail(call, raised, self._keeper)
            if not isinstance(raised, Exception):  # Ctrl-C ends the wait itself
                raise
