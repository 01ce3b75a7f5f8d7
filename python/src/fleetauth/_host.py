"""Exceptions of the user's own code, which the library carries as numbers from where they were raised to the caller."""

from __future__ import annotations

import itertools

_kept: dict[int, BaseException] = {}
_numbers = itertools.count(1)


def find(number: int) -> BaseException | None:
    return _kept.get(number)


class Keeper:
    """Keeps the exceptions of one queue until the library no longer refers to them, or until there is no queue left to say so."""

    __slots__ = ("_mine",)

    def __init__(self) -> None:
        self._mine: set[int] = set()

    def keep(self, raised: BaseException) -> int:
        number = next(_numbers)
        _kept[number] = raised
        self._mine.add(number)
        return number

    def release(self, number: int) -> None:
        self._mine.discard(number)
        _kept.pop(number, None)

    def __del__(self) -> None:
        for number in self._mine:
            _kept.pop(number, None)
