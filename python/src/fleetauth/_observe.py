"""Watching what a runtime does."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from contextlib import suppress

from . import _native
from ._runtime import Runtime, runtime_or_shared
from ._secret import milliseconds
from ._wait import until_readable
from .errors import Closed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from ._secret import Duration
    from .events import Counters, Event

_EXIT_SECONDS = 1.0
_open: set[Observer] = set()
_finalizer: Any = None


def observe(callback: Callable[[Event], object], *, runtime: Runtime | None = None) -> Observer:
    """Has the callback told what a runtime (the shared one unless given) does from now on: logins, renewals, requests, failures.

    It is called on a thread of its own, event by event, and may take its time: events that find no room meanwhile are dropped, and
    counted. What it raises is logged. In a forked child it is told what the child does.
    """
    if not callable(callback):
        raise TypeError(f"callback must be callable, not {type(callback).__name__}")
    observer = Observer(callback, runtime_or_shared(runtime))
    _at_exit()
    return observer


def log_events(logger: str | logging.Logger = "fleetauth", *, runtime: Runtime | None = None) -> Observer:
    """Has every event written to a logger, at the event's level: failures as warnings, what goes well for debugging.

    The attribute `fleetauth` of a record is the event itself, for formatters that write its members.
    """
    import json
    import logging

    target = logging.getLogger(logger) if isinstance(logger, str) else logger

    def write(event: Event) -> None:
        level = getattr(logging, event["level"].upper())
        if target.isEnabledFor(level):
            members = [f"{name}={json.dumps(value)}" for name, value in event.items() if name not in ("event", "time_ms", "level")]
            target.log(level, "%s", " ".join([event["event"], *members]), extra={"fleetauth": event})

    return observe(write, runtime=runtime)


def counters() -> Counters:
    """How often each event has happened in the shared runtime, observed or not."""
    return Runtime.shared().counters()


class Observer:
    """Lasts until it is closed or its runtime is, whether or not somebody keeps it. Any thread; a context manager."""

    def __init__(self, callback: Callable[[Event], object], runtime: Runtime) -> None:
        self._callback = callback
        self._runtime = runtime
        self._start()

    def _start(self) -> None:
        self._queue = observing_queue(self._runtime)
        self._thread = threading.Thread(target=self._deliver, args=(self._queue,), name="fleetauth-observer", daemon=True)
        _open.add(self)
        try:
            self._thread.start()
        except BaseException:
            _open.discard(self)
            raise

    def _deliver(self, queue: _native.Queue) -> None:
        # Without a descriptor (manual mode, or none is left) the wait is the library's.
        fd = -1 if self._runtime._manual else queue.wakeup_fd
        try:
            while True:
                event = queue.next(-1 if fd < 0 else 0)
                if event is None:
                    until_readable(fd)
                elif event.kind == _native.EVENT_NOTICE:
                    self._tell(event.notice)
                elif event.kind == _native.EVENT_CLOSED:
                    return
        finally:
            _open.discard(self)

    def _tell(self, notice: str) -> None:
        import json

        event: Event = json.loads(notice)
        try:
            self._callback(event)
        except BaseException as raised:  # also SystemExit: nothing that a callback raises may end the thread
            _log(raised, event)

    def close(self, timeout: Duration = 5.0) -> None:
        """Ends it. What has happened before is still told; this waits for that, at most `timeout`."""
        self._end()
        self._join(milliseconds(timeout) / 1000)

    def _end(self) -> None:
        _open.discard(self)
        self._queue.close()

    def _join(self, seconds: float) -> None:
        if threading.current_thread() is not self._thread:
            self._thread.join(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None) -> None:
        self.close()


def _log(raised: BaseException, event: Event) -> None:
    import logging

    try:
        logging.getLogger("fleetauth").error("an observer raised", exc_info=raised, extra={"fleetauth": event})
    except BaseException as not_logged:
        _print(not_logged)


def _print(raised: BaseException) -> None:
    with suppress(BaseException):  # a hook of the program's may be anything
        sys.excepthook(type(raised), raised, raised.__traceback__)


def observing_queue(runtime: Runtime) -> _native.Queue:
    queue = _native.Queue(runtime._native, _native.QUEUE_LOOP)
    queue.observe()
    return queue


def _at_exit() -> None:
    """Has the last events told; anew each time, to come before the end of what was imported meanwhile, such as logging."""
    global _finalizer
    atexit.unregister(_tell_the_last)
    atexit.register(_tell_the_last)
    if util := sys.modules.get("multiprocessing.util"):  # whose forked children leave without atexit
        if _finalizer is not None:
            _finalizer.cancel()
        _finalizer = util.Finalize(None, _tell_the_last, exitpriority=100)  # before its queues end, to which a log may go


def _tell_the_last() -> None:
    observers = list(_open)
    for observer in observers:
        observer._end()
    end = time.monotonic() + _EXIT_SECONDS
    for observer in observers:
        observer._join(max(0.0, end - time.monotonic()))


def _start_again() -> None:
    """In a forked child, which has none of the threads."""
    observers = list(_open)
    _open.clear()
    for observer in observers:
        try:
            observer._queue.close()  # what is in it happened in the parent
            observer._start()
        except Closed:
            pass
        except Exception as raised:  # the others go on
            _print(raised)
    if observers and (util := sys.modules.get("multiprocessing.util")):  # it drops the parent's finalizers before it calls this
        util.register_after_fork(_at_exit, lambda at_exit: at_exit())


os.register_at_fork(after_in_child=_start_again)
