"""The flat pybind11 layer, its stub, and what the Python package has of the tables: error classes, options, typed clients."""

import re
import textwrap
from typing import Any

from model import Event, Function, Handle, Member, Model, Option, Param, base_urls
from text import call, fill, pascal, quoted, wrap

PACKAGE = "python/src/fleetauth/"
INTEGERS = {"i32": "std::int32_t", "i64": "std::int64_t", "out_i32": "std::int32_t", "out_i64": "std::int64_t"}
PYTHON_TYPES = {"text": "str", "bytes": "bytes | bytearray | memoryview", "i32": "int", "i64": "int"}
PARAMETER_TYPES = {"text": "str", "integer": "int", "boolean": "bool"}
OPTION_TYPES = {"text": "str", "secret": "Secret", "integer": "int", "boolean": "bool"}
SUFFIX_TYPES = {"_file": "str | PathLike[str]", "_patch": "str | Mapping[str, object]"}


# ---- the flat layer in C++


def _is_property(f: Function) -> bool:
    return f.receiver is not None and not f.inputs and not f.outputs and f.returns not in ("void", "status")


def _may_be_none(f: Function) -> bool:
    """No token yet, no event yet: an answer, not a failure."""
    return "E_WOULD_BLOCK" in f.doc and [p.kind for p in f.outputs] == ["out_handle"]


def _parameter(p: Param) -> str:
    if p.kind == "handle":
        return f"std::optional<{pascal(p.handle)} *> {p.name}" if p.nullable else f"const {pascal(p.handle)} &{p.name}"
    return f"const py::object &{p.name}"


def _argument(p: Param) -> str:
    if p.kind == "handle":
        return f"native({p.name}{'.value_or(nullptr)' if p.nullable else ''})"
    if p.kind in INTEGERS:
        return f"integer<{INTEGERS[p.kind]}>({p.name}, {quoted(p.name)})"
    return f"{p.name}_view.data(), {p.name}_view.size()"


def _invocation(f: Function) -> str:
    gil = "Gil::Released" if f.blocks else "Gil::Held"
    arguments = [f.symbol] + [_argument(p) for p in f.params if not p.is_out]
    if f.outputs:
        out = f.outputs[0]
        verb = "make_or_none" if _may_be_none(f) else "make" if out.kind == "out_handle" else "number"
        result = pascal(out.handle) if out.kind == "out_handle" else INTEGERS[out.kind]
        return call(f"return {verb}<{result}, {gil}>", arguments, ";")
    if f.returns == "status":
        return call(f"check<{gil}>", arguments, ";")
    verb = "shared" if f.shared else f.returns
    return call(f"return {verb}" if f.returns in ("text", "bytes") else "return plain" if f.returns != "void" else "plain", arguments, ";")


def _lambda(f: Function) -> str:
    head = f"[]({', '.join(_parameter(p) for p in f.params if not p.is_out)}) {{"
    views = [p for p in f.params if p.kind in ("text", "bytes")]
    lines = [f"const {pascal(p.kind)} {p.name}_view({p.name}, {quoted(p.name)}{', nullptr' if p.nullable else ''});" for p in views]
    body = "\n".join([*lines, _invocation(f)])
    if "\n" not in body and len(head + body) < 80:
        return f"{head} {body} }}"
    return f"{head}\n{textwrap.indent(body, ' ' * 8)}\n      }}"


def _definition(f: Function) -> str:
    if _is_property(f):
        return f'      .def_property_readonly("{f.method}", {_lambda(f)})'
    names = "".join(f', "{p.name}"_a' for p in f.inputs)
    if f.constructor:
        return f"      .def(py::init({_lambda(f)}){names})"
    return f'      .def{"" if f.receiver else "_static"}("{f.method}", {_lambda(f)}{names})'


def _class(model: Model, h: Handle) -> str:
    methods = [_definition(f) for f in model.functions_for("python") if f.handle == h.name]
    return f'  Class<{pascal(h.name)}>(module, "{pascal(h.name)}", py::module_local())\n' + "\n".join(methods) + ";\n"


def _flat(model: Model) -> str:
    handles = "\n".join(f"using {pascal(h.name)} = Handle<{h.c_type}, {h.c_type}_unref>;" for h in model.handles)
    library = [f for f in model.functions_for("python") if not f.handle]
    functions = "".join(f"  module{_definition(f).strip().replace('.def_static', '.def')};\n" for f in library)
    constants = "".join(f"  constant(module, {quoted(name.removeprefix('FLEETAUTH_'))}, {name});\n" for name, _ in model.constants)
    classes = "\n".join(_class(model, h) for h in model.handles)
    return fill("python_flat.cpp", handles=handles, checksum=model.checksum, functions=functions, classes=classes, constants=constants)


# ---- its stub


def _docstring(text: str, indent: str) -> str:
    one_line = f'{indent}"""{text}"""\n'
    return one_line if len(one_line) <= 141 else f'{indent}"""{wrap(text, indent).strip()}\n{indent}"""\n'


def _stub_result(f: Function) -> str:
    if f.outputs:
        out = f.outputs[0]
        return pascal(out.handle) + (" | None" if _may_be_none(f) else "") if out.kind == "out_handle" else "int"
    if f.shared:
        return "memoryview | None"
    found = " | None" if any(p.name == "index" for p in f.inputs) else ""
    return {"status": "None", "void": "None", "text": "str" + found, "bytes": "bytes"}.get(f.returns, "int")


def _stub(f: Function, indent: str) -> str:
    parameters = [f"{p.name}: {pascal(p.handle) or PYTHON_TYPES[p.kind]}{' | None' if p.nullable else ''}" for p in f.inputs]
    own = ["self"] if f.receiver or f.constructor else []
    head = "@property\n" if _is_property(f) else "@staticmethod\n" if f.handle and not own else ""
    name, result = ("__init__", "None") if f.constructor else (f.method, _stub_result(f))
    head += f"def {name}({', '.join(own + parameters)}) -> {result}:\n"
    return "".join(indent + line + "\n" for line in head.splitlines()) + _docstring(f.doc, indent + "    ")


def _native_stub(model: Model) -> str:
    functions = model.functions_for("python")
    constants = "".join(f"{name.removeprefix('FLEETAUTH_')}: int\n" for name, _ in model.constants)
    classes = [
        f"class {pascal(h.name)}:\n{_docstring(h.doc, '    ')}\n" + "".join(_stub(f, "    ") for f in functions if f.handle == h.name)
        for h in model.handles
    ]
    library = "\n".join(_stub(f, "") for f in functions if not f.handle)
    return fill("python_native.pyi", constants=constants, functions=library, classes="\n".join(classes))


# ---- tables of the package


def _errors(model: Model) -> str:
    bases = {"TimeoutError": "FleetAuthError, builtins.TimeoutError"}
    classes = "".join(f'\n\nclass {c.name}({bases.get(c.name, "FleetAuthError")}):\n    """{c.doc}"""\n' for c in model.error_classes[1:])
    rows = "".join(f'    {s.number}: ("{s.name}", {s.error_class}),\n' for s in model.statuses if s.error_class)
    names = "".join(f'    "{name}",\n' for name in sorted(c.name for c in model.error_classes))
    return fill("python_errors.py", classes=classes, rows=rows, names=names)


def _option(o: Option) -> tuple[str, str]:
    """Name and type in Python, where a duration is seconds or a timedelta."""
    if o.name.endswith("_ms"):
        return o.name.removesuffix("_ms"), "float | timedelta"
    if o.values:
        return o.name, f"Literal[{', '.join(quoted(v) for v in o.values)}]"
    suffixes = [t for suffix, t in SUFFIX_TYPES.items() if o.name.endswith(suffix)]
    return o.name, (suffixes or [OPTION_TYPES[o.type]])[0]


def _options(model: Model) -> str:
    own = ("base_url", "scheme", "transport", "signer")  # each client has these as parameters of its own

    def row(o: Option) -> str:
        name, kind = _option(o)
        default = f"{o.default / 1000:g} s" if o.name.endswith("_ms") and isinstance(o.default, int) else o.default_text
        doc = o.doc.replace(", in milliseconds", "") + (f" Default: {default}." if default is not None else "")
        return f"        {name}: {kind}\n{_docstring(doc, '        ')}"

    return fill(
        "python_options.py",
        durations="".join(f'        "{o.name.removesuffix("_ms")}",\n' for o in model.options if o.name.endswith("_ms")),
        client="".join(row(o) for o in model.options_of("client") if o.name not in own),
        runtime="".join(row(o) for o in model.options_of("runtime")),
    )


def _events(model: Model) -> str:
    types = {"text": "str", "integer": "int", "boolean": "bool"}

    def row(entry: Event | Member, kind: str) -> str:
        return f"    {entry.name}: {kind}\n{_docstring(entry.doc, '    ')}"

    def member(m: Member) -> str:
        words = "".join(f"        {quoted(word)},\n" for word in model.values_of(m))
        return row(m, f"Literal[\n{words}    ]" if words else types[m.type])

    return fill(
        "python_events.py",
        always="".join(member(m) for m in model.members if m.always),
        members="".join(member(m) for m in model.members if not m.always),
        counters="".join(row(e, "int") for e in model.events),
    )


def _provider_parameters(provider: dict[str, Any]) -> list[tuple[str, str, bool, str]]:
    """Name, type, whether required, and meaning of what a typed client takes besides the options that all take."""
    rows = [
        (name, "Secret" if p.get("secret") else _parameter_type(name, p), bool(p.get("required")), p["doc"])
        for name, p in provider["parameters"].items()
    ]
    rows.sort(key=lambda row: not row[2])
    if len(provider["schemes"]) > 1:
        schemes = " ".join(f"`{name}`: {scheme['doc']}" for name, scheme in provider["schemes"].items())
        rows.append(("scheme", f"Literal[{', '.join(map(quoted, provider['schemes']))}]", False, schemes))
    return rows + [(name, "str", required, doc) for name, doc, required in base_urls(provider)]


def _parameter_type(name: str, parameter: dict[str, Any]) -> str:
    suffixes = [t for suffix, t in SUFFIX_TYPES.items() if name.endswith(suffix)]
    return (suffixes or [PARAMETER_TYPES[parameter["type"]]])[0]


def _makes_tokens(provider: dict[str, Any]) -> bool:
    return any(credential["flow"] == "signed_jwt" for credential in provider["credentials"].values())


def _claim_sets(sets: dict[str, Any]) -> str:
    """What the claim sets are for, and in brackets which ids they take."""

    def ids(claims: dict[str, Any]) -> str:
        wanted = [*claims.get("required", []), " or ".join(claims.get("one_of", [])), *(f"perhaps {c}" for c in claims.get("optional", []))]
        return f" ({', '.join(filter(None, wanted))})" if "every" not in claims else ""

    return " ".join(f"`{name}`{ids(claims)}: {claims['doc']}" for name, claims in sets.items())


def _mint(provider: dict[str, Any], variant: str) -> str:
    """The method that asks for a token for claims; empty for providers whose tokens are not for claims."""
    if "claims" not in provider:
        return ""
    names, sets = provider["claims"]["names"], provider["claims"]["sets"]
    rows = [("claim_set", f"The claims that go together. {_claim_sets(sets)}"), *((name, c["doc"]) for name, c in names.items())]
    kinds = {name: "Sequence[str]" if claim.get("list") else "str" for name, claim in names.items()}
    return fill(
        "python_mint.py",
        start="async def" if variant == "aio" else "def",
        answer="return await" if variant == "aio" else "return",
        sets="".join(f"            {quoted(name)},\n" for name in sets),
        documentation="".join(wrap(f"{name}: {doc}", " " * 16)[4:] + "\n" for name, doc in rows),
        parameters="".join(f"        {name}: {kind} | None = NOT_GIVEN,\n" for name, kind in kinds.items()),
        arguments="".join(f"            {name}={name},\n" for name in names),
    )


def _providers(model: Model, variant: str) -> str:
    def client(provider: dict[str, Any]) -> str:
        rows = _provider_parameters(provider)
        prefix = "Async" if variant == "aio" else ""
        if _makes_tokens(provider):
            rows.append(
                ("signer", prefix + "Signer", False, "Signs the tokens with a key that the library does not see; see fleetauth.signer.")
            )
        return fill(
            "python_provider.py",
            name=re.sub(r"[^A-Za-z0-9]", "", provider["title"][:1].upper() + provider["title"][1:]),
            doc=wrap(provider["doc"], "    ").strip(),
            provider=provider["name"],
            transport=prefix + "Transport",
            documentation="".join(wrap(f"{name}: {doc}", " " * 16)[4:] + "\n" for name, _, _, doc in rows),
            parameters="".join(f"        {name}: {kind}{'' if required else ' | None = None'},\n" for name, kind, required, _ in rows),
            arguments="".join(f"            {name}={name},\n" for name, _, _, _ in rows),
            mint=_mint(provider, variant),
        )

    return fill(f"python_providers_{variant}.py", classes="".join("\n\n" + client(p) for p in model.providers.values()))


def outputs(model: Model) -> dict[str, str]:
    return {
        "bindings/pybind11/gen/flat.gen.cpp": _flat(model),
        PACKAGE + "_native.pyi": _native_stub(model),
        PACKAGE + "errors.py": _errors(model),
        PACKAGE + "_options.py": _options(model),
        PACKAGE + "events.py": _events(model),
        PACKAGE + "_providers.py": _providers(model, "sync"),
        PACKAGE + "aio/_providers.py": _providers(model, "aio"),
    }
