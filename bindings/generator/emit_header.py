"""The public header, capi/include/fleetauth/fleetauth.h."""

import re

from emit_thunks import c_param
from model import EnumValue, Function, Handle, Model, Status
from text import call, fill, wrap


def c_names(model: Model, text: str) -> str:
    """The description's short names as C spells them: FLEETAUTH_E_CONFIG, fleetauth_client_peek."""
    functions = "|".join(sorted((f.name for f in model.functions if "_" in f.name), key=len, reverse=True))
    text = re.sub(r"(?<!`)\bE_[A-Z][A-Z_]*\b", r"FLEETAUTH_\g<0>", text)
    return re.sub(rf"\b({functions})\b", r"fleetauth_\1", text).replace("…", "...")


def _comment(text: str, indent: str = "") -> str:
    lines = wrap(text.replace("Since ", "Since\0"), indent + " * ").replace("\0", " ").splitlines()
    lines[0] = indent + "/*" + lines[0][len(indent) + 2 :]
    return "\n".join(lines) + " */"


def notes(f: Function) -> str:
    """What follows from a function's attributes, in sentences."""
    nullable = [f"`{p.name}`" for p in f.params if p.nullable]
    owned = [p for p in f.params if p.kind == "out_handle"]
    secret = [f"`{p.name}`" for p in f.params if p.secret]
    said = [
        f"{' and '.join(nullable)} may be NULL." if nullable else "",
        *(f"Release `{p.name}` with fleetauth_{p.handle}_unref." for p in owned),
        f"{' and '.join(secret)} may be secret." if secret else "",
        "The result is secret." if f.secret else "",
        "May wait." if f.blocks else "",
        {"unstable": "Unstable: it may change or vanish.", "deprecated": "Deprecated."}.get(f.state, ""),
        f"Since {f.since}.",
    ]
    return " ".join(s for s in said if s)


def prototype(f: Function, prefix: str = "FLEETAUTH_API ", suffix: str = " FLEETAUTH_NOEXCEPT;") -> str:
    head = c_param(prefix + f.c_returns, f.symbol)
    return call(head, [c_param(*c) for c in f.c_params] or ["void"], suffix)


def _enum(model: Model, values: tuple[EnumValue | Status, ...]) -> str:
    rows = ",\n".join(f"{_comment(c_names(model, v.doc), '  ')}\n  {v.constant} = {v.number}" for v in values)
    return f"\nenum {{\n{rows}\n}};\n"


def _counting(h: Handle) -> str:
    return (
        f"FLEETAUTH_API {h.c_type} *{h.c_type}_ref({h.c_type} *{h.name}) FLEETAUTH_NOEXCEPT;\n"
        f"FLEETAUTH_API void {h.c_type}_unref({h.c_type} *{h.name}) FLEETAUTH_NOEXCEPT;\n"
    )


def _header(model: Model) -> str:
    major, minor, patch = model.version.split(".")
    handles = [
        f"{_comment(c_names(model, h.doc + (' Holds secrets.' if h.secret else '')))}\ntypedef struct {h.c_type} {h.c_type};\n"
        for h in model.handles
    ]
    ranges = "1-19 caller, 20s configuration, 30s network and provider, 40s credentials, 60s cryptography"
    parts = [*handles, f"\n/* ---- Status numbers: {ranges} */\n", _enum(model, model.statuses)]
    for g in model.groups:
        parts.append(f"\n/* ---- {g.title}\n{wrap(c_names(model, g.doc), ' * ')} */\n")
        parts += [_enum(model, e.values) for e in g.enums]
        parts += ["\n" + _counting(h) for h in g.handles]
        parts += [f"\n{_comment(c_names(model, f.doc) + ' ' + notes(f))}\n{prototype(f)}\n" for f in g.functions]
    return fill("fleetauth.h", soname=model.soname, version=model.version, major=major, minor=minor, patch=patch, body="".join(parts))


def outputs(model: Model) -> dict[str, str]:
    return {"capi/include/fleetauth/fleetauth.h": _header(model)}
