"""A clock that stands still until it is moved."""

from __future__ import annotations

from datetime import datetime, timezone

from . import _native
from ._secret import milliseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._secret import Duration


class ManualClock:
    """For tests of programs that use the library: give it to a Runtime. Any thread; may serve several runtimes."""

    def __init__(self, now: datetime | None = None) -> None:
        """Shows `now` (aware; the machine's time unless given) until it is moved."""
        now = now or datetime.now(timezone.utc)
        if now.tzinfo is None:
            raise ValueError("the clock needs an aware datetime: add tzinfo=timezone.utc")
        self._native = _native.Clock(round(now.timestamp() * 1000))

    def advance(self, by: Duration) -> None:
        """Moves time forward, by seconds or a timedelta. When it returns, tokens are as old as the clock says."""
        self._native.advance(milliseconds(by))

    def step_wall(self, by: Duration) -> None:
        """Steps the wall clock, forward or back, as a correction of the system's time does; no time passes."""
        self._native.step_wall(milliseconds(by))
