"""Exceptions of the user's own code, which the library carries as numbers from where they were raised to the caller."""

from __future__ import annotations

import itertools
import weakref


class _Kept:
    __slots__ = ("__weakref__", "raised")

    def __init__(self, raised: BaseException) -> None:
        self.raised = raised


# Weak: a traceback refers to the queue that keeps it, and such a circle must not hang on to anything that lives for ever.
_kept: weakref.WeakValueDictionary[int, _Kept] = weakref.WeakValueDictionary()
_numbers = itertools.count(1)


def find(number: int) -> BaseException | None:
    kept = _kept.get(number)
    return kept.raised if kept is not None else None


class Keeper:
    """Keeps the exceptions of one queue until the library no longer refers to them, or until there is no queue left to say so."""

    __slots__ = ("_mine",)

    def __init__(self) -> None:
        self._mine: dict[int, _Kept] = {}

    def keep(self, raised: BaseException) -> int:
        number = next(_numbers)
        self._mine[number] = _kept[number] = _Kept(raised)
        return number

    def release(self, number: int) -> None:
        self._mine.pop(number, None)
