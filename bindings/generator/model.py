"""The API description as objects. load.py makes them from bindings/api/*.toml and checks them; emitters read them.

Every list keeps the order of the description. Everything is immutable.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LANGUAGES = ("c", "python", "node", "java")
RETURNS = {
    "status": "fleetauth_status",
    "void": "void",
    "i32": "int32_t",
    "i64": "int64_t",
    "text": "const char *",
    "bytes": "const uint8_t *",
}


@dataclass(frozen=True)
class Param:
    """One parameter of the description; in C it may be several (`c`)."""

    name: str
    kind: str  # handle | text | bytes | i32 | i64 | buffer | wakeup | out_handle | out_i32 | out_i64
    handle: str = ""  # the handle's name, for handle and out_handle
    nullable: bool = False
    secret: bool = False
    enum: str = ""  # name of the enum whose numbers an i32 or out_i32 carries

    @property
    def is_out(self) -> bool:
        """Written by the callee: out:* and buffer."""
        return self.kind == "buffer" or self.kind.startswith("out_")

    @property
    def c(self) -> list[tuple[str, str]]:
        """The C parameters as (type, name)."""
        pointer = f"fleetauth_{self.handle} *"
        return {
            "handle": [(pointer, self.name)],
            "out_handle": [(pointer + "*", self.name)],
            "text": [("const char *", self.name), ("size_t", self.name + "_len")],
            "bytes": [("const uint8_t *", self.name), ("size_t", self.name + "_len")],
            "i32": [("int32_t", self.name)],
            "i64": [("int64_t", self.name)],
            "out_i32": [("int32_t *", self.name)],
            "out_i64": [("int64_t *", self.name)],
            "buffer": [("uint8_t *", self.name), ("size_t", self.name + "_cap"), ("size_t *", self.name + "_len")],
            "wakeup": [("fleetauth_wakeup_fn", self.name), ("void *", "user_data")],
        }[self.kind]


@dataclass(frozen=True)
class Function:
    name: str  # client_peek
    group: str
    doc: str
    returns: str  # status | void | i32 | i64 | text | bytes
    handle: str = ""  # the type it belongs to; "" for functions of the library
    params: tuple[Param, ...] = ()
    error: bool = False  # status only: a last parameter fleetauth_error **err
    constructor: bool = False  # makes a new <handle>
    static: bool = False  # declared to need no instance; see also `receiver`
    blocks: bool = False  # may wait: bindings release their lock
    hot: bool = False  # called once per request of the host
    secret: bool = False  # the text or bytes returned are secret
    shared: bool = False  # bytes returned change at any time and are never freed
    enum: str = ""  # the i32 returned is a number of this enum
    fallback: int = 0  # i32 and i64 only: what is returned when there is nothing to tell
    only: tuple[str, ...] = LANGUAGES
    since: str = "1.0"
    state: str = "stable"

    @property
    def symbol(self) -> str:
        return "fleetauth_" + self.name

    @property
    def method(self) -> str:
        """The name without its handle's prefix: peek for client_peek."""
        return self.name.removeprefix(self.handle + "_") if self.handle else self.name

    @property
    def receiver(self) -> Param | None:
        """The instance it is a method of; None for constructors, factories (runtime_shared), static and library functions."""
        first = self.params[0] if self.params else None
        own = first is not None and first.kind == "handle" and first.handle == self.handle
        return first if own and not self.constructor else None

    @property
    def inputs(self) -> tuple[Param, ...]:
        """What a caller gives besides the receiver."""
        return tuple(p for p in self.params if not p.is_out and p is not self.receiver)

    @property
    def outputs(self) -> tuple[Param, ...]:
        return tuple(p for p in self.params if p.is_out)

    @property
    def c_returns(self) -> str:
        return RETURNS[self.returns]

    @property
    def c_params(self) -> list[tuple[str, str]]:
        """All C parameters as (type, name), with the trailing `len` or `err`."""
        trailing = [("size_t *", "len")] if self.returns in ("text", "bytes") else []
        if self.error:
            trailing = [("fleetauth_error **", "err")]
        return [c for p in self.params for c in p.c] + trailing


@dataclass(frozen=True)
class Handle:
    name: str
    group: str
    doc: str
    secret: bool = False

    @property
    def c_type(self) -> str:
        return "fleetauth_" + self.name


@dataclass(frozen=True)
class EnumValue:
    name: str  # LOOP
    number: int
    doc: str
    constant: str  # FLEETAUTH_QUEUE_LOOP


@dataclass(frozen=True)
class Enum:
    name: str  # queue_kind
    prefix: str
    group: str
    values: tuple[EnumValue, ...]


@dataclass(frozen=True)
class Group:
    """One file of the description."""

    name: str
    title: str
    doc: str
    handles: tuple[Handle, ...]
    enums: tuple[Enum, ...]
    functions: tuple[Function, ...]


@dataclass(frozen=True)
class ErrorClass:
    name: str  # the class in every binding
    exit: int  # the exit status of the command
    doc: str


@dataclass(frozen=True)
class Status:
    name: str  # E_RATE_LIMITED, OK
    number: int
    doc: str
    error_class: str  # "" for OK only
    retry: bool
    fault: str  # the word descriptors use, or ""
    camel: str  # RateLimited

    @property
    def constant(self) -> str:
        return "FLEETAUTH_" + self.name


@dataclass(frozen=True)
class Option:
    scope: str  # runtime | client | request
    name: str
    type: str  # text | secret | integer | boolean | choice
    doc: str
    values: tuple[str, ...] = ()  # the words of a choice
    default: str | int | bool | None = None
    min: int | None = None  # min and max of an integer, inclusive
    max: int | None = None

    @property
    def default_text(self) -> str | None:
        """The default as an option's text: true, 15000, curl; None when there is none."""
        return str(self.default).lower() if isinstance(self.default, bool) else None if self.default is None else str(self.default)


@dataclass(frozen=True)
class Event:
    """Something that a runtime tells of itself: what a NOTICE event of a queue is about."""

    name: str
    doc: str
    level: str = ""  # debug | info | warning; "" for what is only counted


@dataclass(frozen=True)
class Member:
    """Of an event's JSON."""

    name: str
    type: str  # text | integer | boolean
    doc: str
    always: bool = False
    error: bool = False  # it is the error's
    values: tuple[str, ...] = ()  # the words that a text can be; see Model.values_of


@dataclass(frozen=True)
class Model:
    root: Path
    version: str  # major.minor.patch
    soname: int
    groups: tuple[Group, ...]
    statuses: tuple[Status, ...]  # ascending numbers, OK first
    error_classes: tuple[ErrorClass, ...]  # the root first
    options: tuple[Option, ...]
    events: tuple[Event, ...]
    members: tuple[Member, ...]
    providers: dict[str, dict[str, Any]]  # file stem -> core/provider/<stem>.json as it is

    @property
    def functions(self) -> tuple[Function, ...]:
        return tuple(f for g in self.groups for f in g.functions)

    @property
    def handles(self) -> tuple[Handle, ...]:
        return tuple(h for g in self.groups for h in g.handles)

    @property
    def enums(self) -> tuple[Enum, ...]:
        return tuple(e for g in self.groups for e in g.enums)

    def functions_for(self, language: str) -> tuple[Function, ...]:
        return tuple(f for f in self.functions if language in f.only)

    def options_of(self, scope: str) -> tuple[Option, ...]:
        return tuple(o for o in self.options if o.scope == scope)

    def values_of(self, member: Member) -> tuple[str, ...]:
        """The words that a member can be; empty where it can be any text or is none."""
        return tuple(e.name for e in self.events if e.level) if member.name == "event" else member.values

    def enum(self, name: str) -> Enum:
        return next(e for e in self.enums if e.name == name)

    @property
    def symbols(self) -> list[str]:
        """Every exported C function, sorted: those described and each handle's ref and unref."""
        counted = [f"{h.c_type}_{verb}" for h in self.handles for verb in ("ref", "unref")]
        return sorted([f.symbol for f in self.functions] + counted)

    @property
    def constants(self) -> list[tuple[str, int]]:
        """Every enumerator of the C header as (name, number)."""
        return [(s.constant, s.number) for s in self.statuses] + [(v.constant, v.number) for e in self.enums for v in e.values]

    @property
    def checksum(self) -> int:
        """Of signatures and numbers, not of documentation. 53 bits, so that it is exact in every language's numbers."""
        shape = [
            [f.name, f.c_returns, f.c_params, [(p.nullable, p.secret, p.enum) for p in f.params], [f.shared, f.secret, f.blocks]]
            for f in self.functions
        ]
        text = json.dumps([self.soname, [h.name for h in self.handles], self.constants, shape], separators=(",", ":"))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 11


def base_urls(provider: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """The options for a provider's addresses: name, meaning, and whether there is no address to fall back on."""
    rows = []
    for name, origin in provider["origins"].items():
        option = "base_url" if len(provider["origins"]) == 1 else f"{name}_base_url"
        url = origin.get("url") if isinstance(origin, dict) else origin
        meaning = f"Instead of {url}; that host then is the only one the credentials are sent to." if url else origin["doc"]
        rows.append((option, meaning, url is None))
    return rows
