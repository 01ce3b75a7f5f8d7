"""The C++ side of the ABI: capi/gen/bodies.h (what is written by hand), thunks.cpp (what checks and calls it), api_checksum.gen.h."""

from model import Function, Handle, Model, Param
from text import call, fill, quoted


def _body_params(param: Param) -> list[str]:
    handle = f"fleetauth_{param.handle} "
    text = "std::optional<std::string_view> " if param.nullable else "std::string_view "
    return {
        "handle": [handle + ("*" if param.nullable else "&") + param.name],
        "out_handle": [handle + "*&" + param.name],
        "text": [text + param.name],
        "bytes": [text + param.name],
        "i32": ["std::int32_t " + param.name],
        "i64": ["std::int64_t " + param.name],
        "out_i32": ["std::int32_t &" + param.name],
        "out_i64": ["std::int64_t &" + param.name],
        "buffer": ["const Buffer &" + param.name],
        "wakeup": ["fleetauth_wakeup_fn " + param.name, "void *user_data"],
    }[param.kind]


def _body(f: Function) -> str:
    returns = {"status": "ErrorPtr" if f.error else "Status", "void": "void", "i32": "std::int32_t", "i64": "std::int64_t"}
    head = f"{returns.get(f.returns, 'Borrowed')} {f.name}"
    return call(head, [p for param in f.params for p in _body_params(param)], ";")


def _bodies(model: Model) -> str:
    groups = [f"\n// {g.title}\n" + "\n".join(map(_body, g.functions)) + "\n" for g in model.groups]
    return fill("bodies.h", groups="".join(groups))


def c_param(c_type: str, name: str) -> str:
    return c_type + name if c_type.endswith("*") else f"{c_type} {name}"


def _check(model: Model, p: Param) -> str | None:
    """The statement that looks at an argument; a view of text or bytes is its result."""
    name, label = p.name, quoted(p.name)
    if p.kind in ("text", "bytes"):
        return f"const auto {name}_view = check.{'optional_' if p.nullable else ''}{p.kind}({name}, {name}_len, {label});"
    if p.kind == "i32" and p.enum:
        values = model.enum(p.enum).values
        problem = quoted("must be " + " or ".join(v.constant for v in values))
        return f"check.one_of({name}, {{{', '.join(str(v.number) for v in values)}}}, {label}, {problem});"
    return {
        "handle": f"check.{'optional_' if p.nullable else ''}handle({name}, {label});",
        "out_handle": f"check.out_handle({name}, {label});",
        "out_i32": f"check.pointer({name}, {label});",
        "out_i64": f"check.pointer({name}, {label});",
        "buffer": f"check.buffer({name}, {name}_cap, {name}_len, {label});",
    }.get(p.kind)


def _argument(p: Param) -> str:
    if p.kind in ("text", "bytes"):
        return p.name + "_view"
    if p.kind == "buffer":
        return f"capi::Buffer{{{p.name}, {p.name}_cap, *{p.name}_len}}"
    if p.kind == "wakeup":
        return f"{p.name}, user_data"
    return p.name if p.kind in ("i32", "i64") or p.nullable else "*" + p.name


def _thunk(model: Model, f: Function) -> str:
    gap = "" if f.c_returns.endswith("*") else " "
    head = f"{f.c_returns}{gap}{f.symbol}"
    signature = call(head, [c_param(*c) for c in f.c_params], " noexcept {")
    fallback = f", {f.fallback}" if f.fallback else ""
    helper = {"i32": f"number<int32_t{fallback}>", "i64": f"number<int64_t{fallback}>", "void": "nothing"}.get(f.returns, f.returns)
    trailing = ["err"] if f.error else ["len"] if f.returns in ("text", "bytes") else []
    body = f"[&] {{ {'' if f.returns == 'void' else 'return '}capi::{f.name}({', '.join(map(_argument, f.params))}); }}"
    last = call(f"  {'' if f.returns == 'void' else 'return '}guard::{helper}", ["check", *trailing, body], ";")
    checks = [c for c in (_check(model, p) for p in f.params) if c]
    declared = f"{'' if checks else 'const '}guard::Check check({quoted(f.name)});"
    return "\n".join([signature, *("  " + line for line in [declared, *checks]), last, "}\n"])


def _counting(h: Handle) -> str:
    return (
        f"{h.c_type} *{h.c_type}_ref({h.c_type} *{h.name}) noexcept {{\n  if ({h.name} != nullptr) capi::ref({h.name});\n"
        f"  return {h.name};\n}}\n\n"
        f"void {h.c_type}_unref({h.c_type} *{h.name}) noexcept {{\n  if ({h.name} != nullptr) capi::unref({h.name});\n}}\n"
    )


def _thunks(model: Model) -> str:
    parts = []
    for g in model.groups:
        functions = [*map(_counting, g.handles), *(_thunk(model, f) for f in g.functions)]
        parts.append(f"\n// {g.title}\n\n" + "\n".join(functions))
    return fill("thunks.cpp", groups="".join(parts))


def outputs(model: Model) -> dict[str, str]:
    return {
        "capi/gen/bodies.h": _bodies(model),
        "capi/gen/thunks.cpp": _thunks(model),
        "capi/gen/api_checksum.gen.h": fill("api_checksum.gen.h", checksum=model.checksum),
    }
