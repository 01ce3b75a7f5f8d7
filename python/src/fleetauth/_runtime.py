"""The engine behind clients."""

from __future__ import annotations

import threading
import weakref

from . import _native
from ._clock import ManualClock
from ._secret import milliseconds, native_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from ._options import RuntimeOptions
    from ._secret import Duration
    from .aio._pump import Pump
    from .events import Counters


class Runtime:
    """One I/O thread, timers and queues for any number of clients, threads and event loops.

    Clients use the process's shared one unless they are given another, as tests do with a clock of their own. It may be used after
    a fork. Closing it fails what is in flight; clients of a closed runtime raise Closed.
    """

    _the_shared: Runtime | None = None

    def __init__(self, *, clock: ManualClock | None = None, **options: Unpack[RuntimeOptions]) -> None:
        if clock is not None and not isinstance(clock, ManualClock):
            raise TypeError(f"clock must be a fleetauth.ManualClock, not {type(clock).__name__}")
        self._setup(_native.Runtime(native_options(options), clock._native if clock is not None else None))
        self._manual = options.get("mode") == "manual"

    def _setup(self, native: _native.Runtime) -> None:
        self._native = native
        self._manual = False
        self._queues = threading.local()  # of the threads that wait
        self._pumps: weakref.WeakKeyDictionary[AbstractEventLoop, Pump] = weakref.WeakKeyDictionary()

    @classmethod
    def shared(cls) -> Runtime:
        """The process's own, with the default options; made at the first call and again after it was closed."""
        runtime = Runtime._the_shared
        if runtime is None:
            runtime = cls.__new__(cls)
            runtime._setup(_native.Runtime.shared())
            Runtime._the_shared = runtime
        return runtime

    def close(self, timeout: Duration = 5.0) -> None:
        """Fails everything in flight and waits at most `timeout` for the I/O thread to leave; raises TimeoutError if it does not."""
        if Runtime._the_shared is self:
            Runtime._the_shared = None
        self._native.close(milliseconds(timeout))

    def counters(self) -> Counters:
        """How often each event has happened since the runtime was made, observed or not. They only grow."""
        import json

        counted: Counters = json.loads(self._native.counters().bytes)
        return counted

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> str:
        raise TypeError("a runtime cannot be pickled: make one in the other process")


def runtime_or_shared(runtime: Runtime | None) -> Runtime:
    if runtime is not None and not isinstance(runtime, Runtime):
        raise TypeError(f"runtime must be a fleetauth.Runtime, not {type(runtime).__name__}")
    return runtime if runtime is not None else Runtime.shared()
