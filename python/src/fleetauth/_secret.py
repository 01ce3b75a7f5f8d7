"""What an option's value may be, and how it is handed to the library."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta

from . import _native
from ._options import DURATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import ParamSpec, TypeVar

    Parameters = ParamSpec("Parameters")
    Result = TypeVar("Result")

    Bytes = bytes | bytearray | memoryview
    Secret = str | Bytes
    Duration = float | timedelta
    Claims = Mapping[str, str | Sequence[str]]


def quiet(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """What it raises has none of its arguments in the traceback: error trackers print the locals of every frame."""

    def call(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
        try:
            return function(*arguments, **named)
        except BaseException as raised:
            del arguments
            named.clear()
            _clear_our_frames(raised.__traceback__.tb_next if raised.__traceback__ else None)
            raise

    names = ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__")  # functools takes long to import
    call.__dict__["__wrapped__"] = function
    for name in names:
        setattr(call, name, getattr(function, name))
    return call


def _clear_our_frames(place: TracebackType | None) -> None:
    while place is not None:
        if str(place.tb_frame.f_globals.get("__name__")).partition(".")[0] == __package__:
            place.tb_frame.clear()
        place = place.tb_next


class Hidden:
    """A secret that a frame may hold while others' code runs: printing it shows nothing."""

    __slots__ = ("value",)

    def __init__(self, value: Secret) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "***"


def milliseconds(value: Duration) -> int:
    """Rounded up, so that a short patience does not become none."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return -int(-seconds * 1000 // 1)


def claims_text(claims: Claims) -> str:
    """The claims as the library takes them: the text of a JSON object."""
    if not isinstance(claims, Mapping):
        raise TypeError(f"claims must map names to ids, not be {type(claims).__name__}: claims={{'vehicleid': 'v1'}}")
    import json

    return json.dumps(dict(claims), default=_ids)


def _ids(value: object) -> list[object]:
    if not isinstance(value, Sequence):
        raise TypeError(f"a claim must be a str or a sequence of them, not {type(value).__name__}")
    return list(value)


def native_options(options: Mapping[str, object]) -> _native.Options:
    """The bag of options; None means not given."""
    bag = _native.Options()
    for name, value in options.items():
        if value is not None:
            _set(bag, name, value)
    return bag


def _set_integer(bag: _native.Options, name: str, native_name: str, value: int) -> None:
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"option {name} must be from {-(2**63)} to {2**63 - 1}")
    bag.set_i64(native_name, value)


def _set(bag: _native.Options, name: str, value: object) -> None:
    if name in DURATIONS:
        if isinstance(value, bool) or not isinstance(value, (int, float, timedelta)):
            raise TypeError(f"option {name} must be seconds or a timedelta, not {type(value).__name__}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"option {name} must be a finite number of seconds")
        _set_integer(bag, name, name + "_ms", milliseconds(value))
    elif isinstance(value, str):
        bag.set_text(name, value)
    elif isinstance(value, int):
        _set_integer(bag, name, name, value)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        bag.set_bytes(name, value)
    elif isinstance(value, os.PathLike):
        bag.set_text(name, os.fsdecode(value))
    elif name.endswith("_patch") and isinstance(value, dict):
        import json

        bag.set_text(name, json.dumps(value))
    else:
        raise TypeError(f"option {name} must not be {type(value).__name__}: give str, bytes, int or bool (durations: seconds or timedelta)")
