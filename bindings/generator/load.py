"""Reads bindings/api/*.toml, checks it against the closed grammar and makes a Model of it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from model import LANGUAGES, RETURNS, Enum, EnumValue, ErrorClass, Event, Function, Group, Handle, Member, Model, Option, Param, Status

# No parameter may be called so: one of the languages reserves it, or the C signature has it already.
RESERVED = set(
    re.findall(
        r"\w+",
        """auto bool break byte case catch char class const default delete do double else enum err export extern false final float
        for goto if import in int interface is lambda len long namespace native new null operator package pass private public
        register return self short static struct super switch template this throw true try typedef union user_data var void
        while with yield""",
    )
)


class ApiError(Exception):
    """The description breaks the grammar; one line for each fault."""


# The grammar: the keys of each kind of table; a "?" after the type makes a key optional.
GRAMMAR = {
    kind: dict(key.split(":") for key in keys.split())
    for kind, keys in {
        "api": "version:str soname:int files:list",
        "file": "group:dict handle:dict? enum:list? function:list?",
        "status file": "class:list status:list",
        "option file": "option:list",
        "notice file": "event:list member:list",
        "group": "name:str title:str doc:str",
        "handle": "doc:str secret:bool?",
        "enum": "name:str prefix:str values:list",
        "value": "name:str value:int doc:str",
        "function": "name:str returns:str doc:str handle:str? params:list? error:bool? constructor:bool? static:bool? blocks:bool? "
        "hot:bool? secret:bool? shared:bool? enum:str? fallback:int? only:list? since:str? state:str?",
        "param": "name:str type:str nullable:bool? secret:bool? enum:str?",
        "class": "name:str exit:int doc:str",
        "status": "name:str number:int doc:str class:str? retry:bool? fault:str? camel:str?",
        "option": "scope:str name:str type:str doc:str values:list? default:any? min:int? max:int?",
        "event": "name:str doc:str level:str?",
        "member": "name:str type:str doc:str always:bool? error:bool? values:list?",
    }.items()
}
TYPES: dict[str, type] = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict, "any": object}
OPTION_TYPES = ("text", "secret", "integer", "boolean", "choice")
MEMBER_TYPES = ("text", "integer", "boolean")
SNAKE, UPPER, PASCAL = r"[a-z][a-z0-9]*(_[a-z0-9]+)*", r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", r"([A-Z][a-z0-9]+)+"


class _Loader:
    """Collects all faults before it gives up, so that a writer sees them at once."""

    def __init__(self, api: Path):
        self.api = api
        self.faults: list[str] = []
        self.file = self.entry = ""

    def fault(self, message: str) -> None:
        self.faults.append(": ".join(part for part in (self.file, self.entry, message) if part))

    def need(self, condition: object, message: str) -> None:
        if not condition:
            self.fault(message)

    def read(self, name: str, table: str) -> dict[str, Any]:
        self.file, self.entry = name + ".toml", ""
        try:
            return self.table(tomllib.loads((self.api / self.file).read_text("utf-8")), table)
        except FileNotFoundError:
            self.fault(f"there is no such file in {self.api}; write it or take it out of `files` in api.toml")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.fault(f"not TOML: {error}")
        raise ApiError("\n".join(self.faults))

    def table(self, row: Any, kind: str) -> dict[str, Any]:
        """Checks keys and their types; what is missing or wrong gets an empty value, so that loading can go on."""
        if not isinstance(row, dict):
            self.fault(f"a {kind} must be a table, not {row!r}")
            row = {}
        for key in row.keys() - GRAMMAR[kind].keys():
            self.fault(f"unknown key `{key}` of a {kind}; known are {', '.join(GRAMMAR[kind])}")
        checked = {}
        for key, spec in GRAMMAR[kind].items():
            want = TYPES[spec.rstrip("?")]
            value = row.get(key)
            if key not in row:
                self.need(spec.endswith("?"), f"`{key}` of the {kind} is missing")
            elif not isinstance(value, want) or (want is int and isinstance(value, bool)):
                self.fault(f"`{key}` of the {kind} must be a {want.__name__}, not {value!r}")
            elif key == "doc":
                self.need(str(value).endswith((".", "?", ":")), "`doc` must be sentences that end with a full stop")
            if key in row and isinstance(value, want):
                checked[key] = value
            elif not spec.endswith("?"):
                checked[key] = want()
        return checked

    def row(self, row: Any, kind: str) -> dict[str, Any]:
        """A named row, by whose name faults are reported from here on."""
        self.entry = f"[[{kind}]] {row.get('name', '?') if isinstance(row, dict) else '?'}"
        return self.table(row, kind)

    def word(self, word: str, pattern: str, what: str) -> None:
        self.need(re.fullmatch(pattern, word), f"{what} `{word}` must match {pattern}")

    def unique(self, names: list[str], what: str) -> None:
        for name in sorted({n for n in names if names.count(n) > 1}):
            self.fault(f"{what} `{name}` is given twice")

    def group(self, name: str) -> Group:
        tables = self.read(name, "file")
        head = self.table(tables["group"], "group")
        self.need(head["name"] == name, f"`name` of the group must be the file's, `{name}`")
        own = []
        for handle, row in tables.get("handle", {}).items():
            self.entry = f"[handle.{handle}]"
            self.word(handle, SNAKE, "a handle's name")
            own.append(Handle(handle, name, **self.table(row, "handle")))
        enums = tuple(self.enum(row, name) for row in tables.get("enum", []))
        functions = tuple(self.function(row, name) for row in tables.get("function", []))
        return Group(name, head["title"], head["doc"], tuple(own), enums, functions)

    def enum(self, row: Any, group: str) -> Enum:
        row = self.row(row, "enum")
        self.word(row["name"], SNAKE, "an enum's name")
        self.word(row["prefix"], UPPER, "a prefix")
        rows = [self.table(value, "value") for value in row["values"]]
        for value in rows:
            self.word(value["name"], UPPER, "an enumerator")
        self.unique([str(v["value"]) for v in rows], "number")
        return Enum(
            row["name"],
            row["prefix"],
            group,
            tuple(EnumValue(v["name"], v["value"], v["doc"], f"FLEETAUTH_{row['prefix']}_{v['name']}") for v in rows),
        )

    def param(self, row: Any) -> Param:
        row = self.table(row, "param")
        name, kind, handle = row["name"], row.pop("type"), ""
        self.word(name, SNAKE, "a parameter's name")
        self.need(name not in RESERVED, f"parameter `{name}` is a reserved word of some language; choose another name")
        if kind in ("out:i32", "out:i64"):
            kind = kind.replace(":", "_")
        elif kind not in ("text", "bytes", "i32", "i64", "buffer", "wakeup"):
            kind, handle = ("out_handle", kind[4:]) if kind.startswith("out:") else ("handle", kind)
        self.need("nullable" not in row or kind in ("handle", "text"), f"parameter `{name}`: only handles and text can be nullable")
        self.need(
            "secret" not in row or kind in ("text", "bytes", "buffer"), f"parameter `{name}`: only text, bytes and buffer can be secret"
        )
        self.need("enum" not in row or kind in ("i32", "out_i32"), f"parameter `{name}`: only i32 and out:i32 can be of an enum")
        return Param(kind=kind, handle=handle, **row)

    def function(self, row: Any, group: str) -> Function:
        row = self.row(row, "function")
        params = tuple(self.param(p) for p in row.pop("params", []))
        only = row.pop("only", list(LANGUAGES))
        for language in only:
            self.need(language in LANGUAGES, f"`only` names {language!r}; known are {', '.join(LANGUAGES)}")
        f = Function(**row, group=group, params=params, only=tuple(only))
        self.word(f.name, SNAKE, "a function's name")
        self.need(f.returns in RETURNS, f"`returns` is {f.returns!r}; it must be one of {', '.join(RETURNS)}")
        self.need(not f.error or f.returns == "status", '`error = true` goes with `returns = "status"` only')
        self.need(not f.outputs or f.returns == "status", "a function with an out-parameter must return status")
        self.need(not f.shared or f.returns == "bytes", '`shared` goes with `returns = "bytes"` only')
        self.need(not f.secret or f.returns in ("text", "bytes"), "`secret` goes with text or bytes returned")
        self.need(not f.fallback or f.returns in ("i32", "i64"), "`fallback` goes with i32 or i64 only")
        self.need(not f.enum or f.returns == "i32", '`enum` goes with `returns = "i32"` only')
        self.need(re.fullmatch(r"\d+\.\d+", f.since), f"`since` is {f.since!r}; it must be major.minor")
        self.need(f.state in ("unstable", "stable", "deprecated"), f"`state` is {f.state!r}; it must be unstable, stable or deprecated")
        self.unique([name for _, name in f.c_params], "the C parameter")
        self.need([p.is_out for p in params] == sorted(p.is_out for p in params), "out-parameters must come last")
        for p in params:
            self.need(p.kind not in ("buffer", "wakeup") or f.only == ("c",), f'parameter `{p.name}`: {p.kind} needs `only = ["c"]`')
        makes_own = [p.handle for p in f.outputs].count(f.handle) == 1 if f.handle else False
        self.need(not f.constructor or makes_own, 'a constructor must have one parameter of type "out:<its handle>"')
        self.need(not f.static or f.receiver is None, "a static function cannot take its own handle first")
        if f.handle and not (f.receiver or f.static or f.constructor or makes_own):
            self.fault(f"it belongs to `{f.handle}`, so its first parameter must be one, or say `static = true` or `constructor = true`")
        return f

    def statuses(self) -> tuple[tuple[ErrorClass, ...], tuple[Status, ...]]:
        tables = self.read("status_table", "status file")
        classes, statuses = [], []
        for row in tables["class"]:
            classes.append(ErrorClass(**self.row(row, "class")))
            self.word(classes[-1].name, r"([A-Z][a-z]+)+", "a class")
            self.need(classes[-1].exit not in (0, 2), "0 is success and 2 a wrong command line")
        for row in tables["status"]:
            row = self.row(row, "status")
            name, number = row["name"], row["number"]
            self.word(name, "OK|E_" + UPPER, "a status")
            self.need((name == "OK") == (number == 0) == ("class" not in row), "OK alone has the number 0 and no class")
            self.need("class" not in row or row["class"] in [c.name for c in classes], f"there is no class `{row.get('class')}`")
            camel = row.get("camel", "".join(part.capitalize() for part in name.removeprefix("E_").split("_")))
            self.word(camel, PASCAL, "`camel`")
            statuses.append(Status(name, number, row["doc"], row.get("class", ""), row.get("retry", False), row.get("fault", ""), camel))
        self.entry = ""
        self.need(statuses and statuses[0].name == "OK", "the first status must be OK")
        self.need([s.number for s in statuses] == sorted({s.number for s in statuses}), "numbers of statuses must grow from row to row")
        self.unique([s.name for s in statuses], "status")
        self.unique([s.fault for s in statuses if s.fault], "fault")
        return tuple(classes), tuple(statuses)

    def options(self) -> tuple[Option, ...]:
        options: list[Option] = []
        for row in self.read("option_table", "option file")["option"]:
            row = self.row(row, "option")
            o = Option(**{**row, "values": tuple(row.get("values", []))})
            self.word(o.name, SNAKE, "an option's name")
            self.need(o.scope in ("runtime", "client", "request"), f"`scope` is {o.scope!r}; it must be runtime, client or request")
            self.need(bool(o.values) == (o.type == "choice"), "`values` goes with type choice, which needs them")
            limits = [limit for limit in (o.min, o.max) if limit is not None]
            self.need(len(limits) == (2 if o.type == "integer" else 0), "`min` and `max` go with type integer, which needs both")
            self.need(o.type in OPTION_TYPES, f"`type` is {o.type!r}; it must be one of {', '.join(OPTION_TYPES)}")
            self.need(o.default is None or _fits(o, limits), f"the default {o.default!r} does not fit the type {o.type} and its range")
            options.append(o)
        self.entry = ""
        self.unique([f"{o.scope}.{o.name}" for o in options], "option")
        return tuple(options)

    def notices(self) -> tuple[tuple[Event, ...], tuple[Member, ...]]:
        tables = self.read("notice_table", "notice file")
        events, members = [], []
        for row in tables["event"]:
            events.append(Event(**self.row(row, "event")))
            self.word(events[-1].name, SNAKE, "an event's name")
            self.need(events[-1].level in ("", "debug", "info", "warning"), "`level` must be debug, info or warning")
        for row in tables["member"]:
            row = self.row(row, "member")
            members.append(Member(**{**row, "values": tuple(row.get("values", []))}))
            self.word(members[-1].name, SNAKE, "a member's name")
            self.need(members[-1].type in MEMBER_TYPES, f"`type` is {members[-1].type!r}; it must be one of {', '.join(MEMBER_TYPES)}")
        self.entry = ""
        self.unique([e.name for e in events], "event")
        self.unique([m.name for m in members], "member")
        return tuple(events), tuple(members)

    def cross_check(self, model: Model) -> None:
        """What can only be seen when everything is read: names in types and in documentation."""
        self.file = ""
        handles, enums = {h.name for h in model.handles}, {e.name for e in model.enums}
        for f in model.functions:
            self.entry = f"{f.group}.toml: [[function]] {f.name}"
            self.need(not f.handle or f.handle in handles, f"there is no handle `{f.handle}`")
            self.need(not f.enum or f.enum in enums, f"there is no enum `{f.enum}`")
            for p in f.params:
                self.need(
                    not p.handle or p.handle in handles,
                    f"parameter `{p.name}`: unknown type `{p.handle}`, neither of the grammar nor a handle",
                )
                self.need(not p.enum or p.enum in enums, f"parameter `{p.name}`: there is no enum `{p.enum}`")
        known = {s.name for s in model.statuses} | {"E_UNKNOWN"}  # what status_name answers for other numbers
        docs = [(f.group, f.name, f.doc) for f in model.functions] + [("option_table", o.name, o.doc) for o in model.options]
        for file, entry, doc in docs:
            self.entry = f"{file}.toml: {entry}"
            for word in set(re.findall(r"\bE_[A-Z_]+\b", doc)) - known:
                self.fault(f"its doc names {word}, which is not a status")
        self.entry = "bindings/api"
        self.unique([c for c, _ in model.constants], "the constant")
        self.unique(model.symbols, "the function")


def _fits(option: Option, limits: list[int]) -> bool:
    """Whether the default is one that a caller could set."""
    value = option.default
    if option.type == "integer":
        return type(value) is int and len(limits) == 2 and limits[0] <= value <= limits[1]
    if option.type == "choice":
        return value in option.values
    return isinstance(value, {"text": str, "boolean": bool}.get(option.type, ()))


def _providers(root: Path, loader: _Loader) -> dict[str, dict[str, Any]]:
    providers = {}
    for path in sorted((root / "core" / "provider").glob("*.json")):
        if path.name.endswith(".schema.json"):
            continue
        try:
            providers[path.stem] = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            loader.file, loader.entry = str(path.relative_to(root)), ""
            loader.fault(f"not JSON: {error}")
    return providers


def load(root: Path, api: Path | None = None) -> Model:
    """Reads the description of the repository at `root` (or in the folder `api`)."""
    loader = _Loader(api or root / "bindings" / "api")
    head = loader.read("api", "api")
    loader.need(re.fullmatch(r"\d+\.\d+\.\d+", head["version"]), "`version` must be major.minor.patch")
    groups = tuple(loader.group(name) for name in head["files"])
    classes, statuses = loader.statuses()
    tables = (statuses, classes, loader.options(), *loader.notices())
    model = Model(root, head["version"], head["soname"], groups, *tables, _providers(root, loader))
    loader.cross_check(model)
    if loader.faults:
        raise ApiError("\n".join(loader.faults))
    return model
