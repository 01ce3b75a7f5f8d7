"""A login's question for a one-time code."""

from __future__ import annotations

from datetime import datetime

from . import _native
from ._token import utc


class Challenge:
    """A provider's question for a one-time code, which OtpRequired carries and `Client.answer` takes. Immutable; any thread."""

    __slots__ = ("_native",)

    def __init__(self, native: _native.Challenge) -> None:
        self._native = native

    @property
    def account(self) -> str:
        """The account that logs in; empty where there is only one."""
        return self._native.account

    @property
    def expires_at(self) -> datetime:
        """Until when it can be answered, in UTC by this machine's clock."""
        return utc(self._native.expires_at_ms)

    def __repr__(self) -> str:
        return f"<Challenge account={self.account!r} expires_at={self.expires_at.isoformat()}>"

    def __reduce__(self) -> str:
        raise TypeError("a challenge holds a secret and is not pickled: seal_challenge() makes bytes of it for another process")
