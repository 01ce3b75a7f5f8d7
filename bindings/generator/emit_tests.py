"""What tests/capi/arguments_test.cpp goes through: tests/capi/functions.gen.h."""

from model import Function, Model, Param
from text import fill, pascal, quoted


def _param(model: Model, p: Param) -> str:
    numbers = ", ".join(str(v.number) for v in model.enum(p.enum).values) if p.enum and not p.is_out else ""
    fields = [f"Kind::{pascal(p.kind)}", quoted(p.name), quoted(p.handle), str(p.nullable).lower(), f"{{{numbers}}}"]
    while len(fields) > 2 and fields[-1] in ('""', "false", "{}"):
        fields.pop()
    return f"{{{', '.join(fields)}}}"


def _function(model: Model, f: Function) -> str:
    trailing = ['{Kind::OutError, "err"}'] if f.error else ['{Kind::OutLength, "len"}'] if f.returns in ("text", "bytes") else []
    params = ", ".join([_param(model, p) for p in f.params] + trailing)
    return f"    {{{quoted(f.name)}, call<{f.symbol}>, Returns::{pascal(f.returns)}, {f.fallback}, {{{params}}}}},"


def outputs(model: Model) -> dict[str, str]:
    functions = "\n".join(_function(model, f) for f in model.functions)
    handles = "\n".join(f"    {{{quoted(h.name)}, call<{h.c_type}_ref>, call<{h.c_type}_unref>}}," for h in model.handles)
    return {"tests/capi/functions.gen.h": fill("functions.gen.h", functions=functions, handles=handles)}
