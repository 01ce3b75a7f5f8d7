"""The Node binding: the flat layer over Node-API (bindings/napi/gen) and the TypeScript that follows (node/src/gen)."""

import re
from typing import Any

from model import Function, Handle, Member, Model, Param, base_urls
from text import call, camel, fill, pascal, quoted, wrap

TS = {"text": "string", "bytes": "Uint8Array", "i32": "number", "i64": "number", "out_i32": "number", "out_i64": "number"}
RETURNED = {"text": "string | null", "bytes": "Buffer | null", "i32": "number", "i64": "number", "void": "void"}
OPTION = {"text": "string", "secret": "string | Uint8Array", "integer": "number", "boolean": "boolean"}


def _functions(model: Model, handle: Handle | None) -> list[Function]:
    """Those of a class, or of the library; shared memory is handed out by hand."""
    return [f for f in model.functions_for("node") if f.handle == (handle.name if handle else "") and not f.shared]


def _name(f: Function) -> str:
    return "create" if f.method == "new" else camel(f.method)


def _doc(text: str, indent: str = "") -> str:
    line = f"{indent}/** {text} */\n"
    return line if len(line) <= 121 else f"{indent}/**\n{wrap(text, indent + ' * ')}\n{indent} */\n"


def _argument(p: Param, index: int) -> str:
    """The statement that takes an argument out of JavaScript's."""
    declared, taken = ("auto *", f"handle<fleetauth_{p.handle}>") if p.kind == "handle" else ("const auto ", p.kind)
    return f"{declared}{p.name} = args.{'optional_' if p.nullable else ''}{taken}({index}, {quoted(p.name)});"


def _passed(p: Param) -> str:
    spelled = {"out_handle": "{0}.receive()", "text": "{0}.data(), {0}.size()", "bytes": "{0}.data, {0}.size"}
    return spelled.get(p.kind, "&{0}" if p.is_out else "{0}").format(p.name)


def _function(f: Function) -> str:
    shown = f"{pascal(f.handle)}.{_name(f)}" if f.handle else _name(f)
    lines = [f"const Arguments args(info, {quoted(shown)});"]
    if f.receiver:
        lines.append(f"auto *{f.receiver.name} = args.self<fleetauth_{f.receiver.handle}>();")
    lines += [_argument(p, index) for index, p in enumerate(f.inputs)]
    types = {"out_i32": "std::int32_t {} = 0;", "out_i64": "std::int64_t {} = 0;"}
    lines += [types.get(p.kind, f"Out<fleetauth_{p.handle}> {{}};").format(p.name) for p in f.outputs]
    passed, out = [_passed(p) for p in f.params], f.outputs[0] if f.outputs else None
    if f.returns == "status":
        lines += ["Out<fleetauth_error> err;", call(f"const fleetauth_status outcome = {f.symbol}", [*passed, "err.receive()"], ";")]
        if out and out.kind == "out_handle":
            lines.append("if (!found(args.env(), outcome, err)) return args.env().Null();")
            lines.append(f"return Handle<fleetauth_{out.handle}>::make(args.env(), {out.name});")
        else:
            lines.append("require_ok(args.env(), outcome, err);")
            lines.append(f"return to_js(args.env(), {out.name});" if out else "return args.env().Undefined();")
    elif f.returns == "void":
        lines += [f"{f.symbol}({', '.join(passed)});", "return args.env().Undefined();"]
    elif f.returns in ("text", "bytes"):
        lines += ["std::size_t len = 0;", call(f"{f.c_returns}result = {f.symbol}", [*passed, "&len"], ";")]
        lines.append("return to_js(args.env(), result, len);")
    else:
        lines.append(call(f"return to_js(args.env(), {f.symbol}", passed, ");"))
    return f"\nNapi::Value {f.name}(const Napi::CallbackInfo &info) {{\n" + "\n".join("  " + line for line in lines) + "\n}\n"


def _definitions(model: Model) -> str:
    lines = [f"define_function<{f.name}>(exports, {quoted(_name(f))});" for f in _functions(model, None)]
    for h in model.handles:
        methods = [f"{h.name}::method<{f.name}>({quoted(_name(f))})," for f in _functions(model, h) if f.receiver]
        lines += [f"using {h.name} = Handle<{h.c_type}>;", f"{h.name}::define(exports, {{", *("    " + m for m in methods), "});"]
        statics = [f for f in _functions(model, h) if not f.receiver]
        lines += [f"define_function<{f.name}>({h.name}::type(exports.Env()), {quoted(_name(f))});" for f in statics]
    return "\n".join("  " + line for line in lines)


def _traits(index: int, h: Handle) -> str:
    base = f"HandleTraits<{h.c_type}, {h.c_type}_unref, {index}>"
    return f"template <>\nstruct Traits<{h.c_type}> : {base} {{\n  static constexpr const char *kName = {quoted(pascal(h.name))};\n}};"


def _signature(f: Function) -> str:
    """`peek(url: string | null): NativeToken | null;` with its documentation."""
    types = {p.name: "Native" + pascal(p.handle) if p.kind == "handle" else TS[p.kind] for p in f.inputs}
    params = ", ".join(f"{camel(p.name)}: {types[p.name]}{' | null' if p.nullable else ''}" for p in f.inputs)
    out = f.outputs[0] if f.outputs else None
    result = RETURNED.get(f.returns, "void" if out is None else TS.get(out.kind, ""))
    if out and out.kind == "out_handle":
        result = "Native" + pascal(out.handle) + (" | null" if "E_WOULD_BLOCK" in f.doc else "")
    waits = " Blocks this thread." if f.blocks else ""
    return f"{_doc(f.doc + waits, '  ')}  {_name(f)}({params}): {result};\n"


def _constants(name: str, rows: list[tuple[str, int, str]]) -> str:
    return f"export const {name} = {{\n" + "".join(f"{_doc(doc, '  ')}  {key}: {number},\n" for key, number, doc in rows) + "} as const;"


def _native_ts(model: Model) -> str:
    methods = {h: "".join(_signature(f) for f in _functions(model, h) if f.receiver) for h in model.handles}
    statics = {h: "".join(_signature(f) for f in _functions(model, h) if not f.receiver) for h in model.handles}
    return fill(
        "native.ts",
        checksum=model.checksum,
        enums="\n\n".join(_constants(pascal(e.name), [(v.name, v.number, v.doc) for v in e.values]) for e in model.enums),
        handles="\n\n".join(
            f"{_doc(h.doc)}export interface Native{pascal(h.name)} extends Handle {{\n{methods[h]}}}" for h in model.handles
        ),
        functions="".join(_signature(f) for f in _functions(model, None)),
        classes="".join(f"  {pascal(h.name)}: {{\n{statics[h]}  }};\n" for h in model.handles if statics[h]),
    )


def _errors_ts(model: Model) -> str:
    failures = [s for s in model.statuses if s.error_class]
    return fill(
        "errors.ts",
        classes="\n\n".join(f"{_doc(c.doc)}export class {c.name} extends FleetAuthError {{}}" for c in model.error_classes[1:]),
        codes="\n".join(f"  | '{s.constant}'" for s in failures),
        rows="\n".join(f"  [{s.number}, {{ code: '{s.constant}', type: {s.error_class} }}]," for s in failures),
        numbers=_constants("Status", [(s.name, s.number, s.doc) for s in model.statuses]),
    )


def _one_of(words: Any) -> str:
    return " | ".join(f"'{word}'" for word in words)


def _spelled(model: Model, doc: str, parameters: Any = ()) -> str:
    """The doc with options called cName, which it calls c_name."""
    known = {o.name for o in model.options} | {"auth_base_url", "api_base_url", *parameters}
    return re.sub(r"[a-z]+(_[a-z]+)+", lambda m: camel(m[0]) if m[0] in known else m[0], doc)


def _members(rows: list[tuple[str, str, str, bool]]) -> str:
    """Properties (name, doc, type, required)."""
    named = ((doc, f"{name}: {kind}" if required else f"{name}?: {kind} | undefined") for name, doc, kind, required in rows)
    return "".join(f"{_doc(doc, '  ')}  {member};\n" for doc, member in named)


def _interface(head: str, rows: list[tuple[str, str, str, bool]]) -> str:
    """An interface with options."""
    return f"export interface {head} {{\n{_members([(camel(name), doc, kind, required) for name, doc, kind, required in rows])}}}"


def _settings(model: Model, scope: str) -> str:
    given = [(o, "" if o.default_text is None else f" Default: {o.default_text}.") for o in model.options_of(scope)]
    rows = [(o.name, _spelled(model, o.doc) + default, _one_of(o.values) or OPTION[o.type], False) for o, default in given]
    return f"/** The options of scope {scope}. */\n" + _interface(pascal(scope) + "Settings", rows)


def _events(model: Model) -> str:
    def kind(m: Member) -> str:
        return "EventName" if m.name == "event" else _one_of(m.values) or OPTION[m.type]

    return fill(
        "events.ts",
        names="\n".join(f"{_doc(e.doc, '  ')}  | '{e.name}'" for e in model.events if e.level),
        members=_members([(m.name, m.doc, kind(m), m.always) for m in model.members]),
        counters=_members([(e.name, e.doc, "number", True) for e in model.events]),
    )


def _takes(claim_set: dict[str, Any]) -> str:
    """Which claims a set takes."""
    one_of = " or ".join(claim_set.get("one_of", ()))
    optional = [f"perhaps {name}" for name in claim_set.get("optional", ())]
    return " and ".join(filter(None, [*claim_set.get("required", ()), one_of, *optional])) or "no ids"


def _claims(name: str, provider: dict[str, Any]) -> str:
    """The types of claim sets and ids, for a provider whose tokens are for claims."""
    claims = provider.get("claims")
    if claims is None:
        return ""
    sets = "\n".join(f"{_doc(s['doc'] + f' Takes {_takes(s)}.', '  ')}  | '{key}'" for key, s in claims["sets"].items())
    ids = [(key, c["doc"], "readonly string[]" if c.get("list") else "string", False) for key, c in claims["names"].items()]
    return fill("claims.ts", name=name, sets=sets, ids=_members(ids))


def _provider(model: Model, provider: dict[str, Any]) -> str:
    name = re.sub(r"[^A-Za-z0-9]", "", provider["title"])
    name = name[:1].upper() + name[1:]
    parameters, schemes = provider["parameters"].items(), provider["schemes"]
    named = provider["parameters"].keys()
    types = {key: OPTION["secret" if p.get("secret") else p["type"]] for key, p in parameters}
    claims = provider.get("claims")
    if claims is not None:
        every = _one_of(key for key, s in claims["sets"].items() if "every" in s)
        types |= {c["claim_set"]: every for c in provider["credentials"].values() if "claim_set" in c}
    rows = [(key, _spelled(model, p["doc"], named), types[key], p.get("required", False)) for key, p in parameters]
    doc = "Which authorisation scheme to use wherever it is offered: "
    rows.append(("scheme", doc + " ".join(f"`{key}`: {s['doc']}" for key, s in schemes.items()), _one_of(schemes), False))
    if len(provider["origins"]) > 1:
        rows += [(key, doc, "string", required) for key, doc, required in base_urls(provider)]
    return fill(
        "provider.ts",
        options=_interface(f"{name}Options extends ClientOptions", rows),
        claims=_claims(name, provider),
        doc=_doc(_spelled(model, provider["doc"])),
        class_name=name,
        base="Client" if claims is None else f"Client<{name}ClaimSet, {name}Ids>",
        name=provider["name"],
    )


def outputs(model: Model) -> dict[str, str]:
    traits = "\n\n".join(_traits(index, h) for index, h in enumerate(model.handles))
    functions = "".join(_function(f) for h in (None, *model.handles) for f in _functions(model, h))
    sources = {
        "flat.gen.h": fill("flat.gen.h", checksum=model.checksum, count=len(model.handles), traits=traits),
        "flat.gen.cpp": fill("flat.gen.cpp", functions=functions, definitions=_definitions(model)),
    }
    types = {
        "native.ts": _native_ts(model),
        "errors.ts": _errors_ts(model),
        "events.ts": _events(model),
        "options.ts": fill("options.ts", interfaces="\n\n".join(_settings(model, scope) for scope in ("runtime", "client", "request"))),
        "providers.ts": fill("providers.ts", providers="\n".join(_provider(model, p) for p in model.providers.values())),
    }
    return {f"bindings/napi/gen/{k}": v for k, v in sources.items()} | {f"node/src/gen/{k}": v for k, v in types.items()}
