"""What a client answers: a token, and the headers that authorise a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone

from . import _native

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_KINDS = {_native.TOKEN_BEARER: "bearer", _native.TOKEN_BASIC: "basic", _native.TOKEN_STATIC: "static"}
_SLOTS_PER_SLAB = 1024
_slabs: dict[int, memoryview] = {}


def utc(ms: int) -> datetime:
    """The instant that is so many milliseconds after the beginning of 1970."""
    return _EPOCH + timedelta(milliseconds=ms)


class Headers(Mapping[str, str]):
    """The headers that authorise one request: immutable, names compared without case. Shared between calls: copy with {**headers}.

    Its repr shows names only. A value holds a secret.
    """

    __slots__ = ("_index", "_items", "_names", "_word", "_words", "generation", "slot")

    slot: int
    """Where the token lives; -1 when it is not cached."""
    generation: int
    """Which token of the slot it is."""

    def __init__(self, token: _native.Token) -> None:
        names = [token.header_name(i) or "" for i in range(token.header_count)]
        self._items = {name: token.header_value(i) or "" for i, name in enumerate(names)}
        self._names = {name.lower(): name for name in names}
        self.slot, self.generation = token.slot, token.generation
        # Good for as long as the slot's word is the one of this answer; 0 means that nobody tells when it changes.
        self._word = token.word
        self._words, self._index = _words_of(self.slot) if self._word else (None, 0)

    def __getitem__(self, name: str) -> str:
        return self._items[self._names[name.lower()]]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"<Headers {', '.join(f'{name}: ***' for name in self._items)}>"

    def __reduce__(self) -> str:
        raise TypeError("headers hold secrets and are not pickled: ask the client of the other process")


def _words_of(slot: int) -> tuple[memoryview | None, int]:
    slab, index = divmod(slot, _SLOTS_PER_SLAB)
    words = _slabs.get(slab)
    if words is None:
        view = _native.Token.slot_words(slab)
        if view is None:
            return None, 0
        words = _slabs[slab] = view.cast("i")
    return words, index


class Token:
    """A snapshot of a token. Its repr names it by fingerprint; `reveal` shows it."""

    __slots__ = ("_headers", "_native")

    def __init__(self, native: _native.Token, with_headers: bool) -> None:
        self._native = native
        self._headers = Headers(native) if with_headers else None

    def reveal(self) -> str:
        """The token itself. Prefer `headers`: copies that Python makes of it cannot be wiped."""
        return self._native.secret.decode()

    @property
    def headers(self) -> Headers | None:
        """The headers for the URL it was asked for; None when it was asked without one."""
        return self._headers

    @property
    def expires_at(self) -> datetime | None:
        """When it expires, in UTC by this machine's clock; None for never."""
        ms = self._native.expires_at_ms
        return utc(ms) if ms >= 0 else None

    @property
    def expires_in(self) -> timedelta | None:
        """How long it still lives now, zero when it has expired; None for ever. Immune to steps of the clock."""
        ms = self._native.expires_in_ms
        return timedelta(milliseconds=ms) if ms >= 0 else None

    @property
    def fingerprint(self) -> str:
        """Names the token in logs: tells two apart within this process and reveals nothing."""
        return self._native.fingerprint

    @property
    def scheme(self) -> str:
        """The authorisation scheme of the provider that was used."""
        return self._native.scheme

    @property
    def kind(self) -> str:
        """`bearer` for one obtained from the provider, `basic` for a user name and password, `static` for a key."""
        return _KINDS.get(self._native.kind, "unknown")

    @property
    def from_cache(self) -> bool:
        """It was in memory; this call waited for nothing."""
        return bool(self._native.from_cache)

    @property
    def slot(self) -> int:
        """Where it lives; -1 when it is not cached."""
        return self._native.slot

    @property
    def generation(self) -> int:
        """Which token of the slot it is; grows with every renewal."""
        return self._native.generation

    def __repr__(self) -> str:
        expires = self.expires_at
        return f"<Token {self.fingerprint} scheme={self.scheme} expires_at={expires.isoformat() if expires else 'never'}>"

    def __reduce__(self) -> str:
        raise TypeError("a token holds a secret and is not pickled: ask the client of the other process")
