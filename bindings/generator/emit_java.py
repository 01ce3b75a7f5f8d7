"""The Java binding: SWIG's input and output (bindings/swig/gen) and the classes of java/src/generated/java."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from emit_header import prototype
from model import Enum, Function, Handle, Member, Model, Option, Param, base_urls
from text import BANNER, call, camel, fill, pascal, quoted, wrap

JAVA = "java/src/generated/java/io/fleetauth/"
SWIG = "bindings/swig/gen/"
SWIG_VERSION = "4.1.0"  # another version writes another text: it is not run
PUBLIC_ENUMS = ("advice", "token_kind")
REPLACED_IN_TESTS = ("http_call",)  # handles whose class is not final
BY_HAND = ("transport", "signer", "claims")  # options whose setter takes a Java object
EVENT_VALUES = {  # the type of an event's method, and what reads it
    "text": ("String", "text"),
    "integer": ("OptionalLong", "number"),
    "boolean": ("boolean", "flag"),
    "time": ("Instant", "time"),
    "duration": ("Optional<Duration>", "duration"),
}
TYPES = {"text": "String", "bytes": "byte[]", "i32": "int", "i64": "long", "void": "void"}


def _file(body: str, imports: tuple[str, ...] = ()) -> str:
    used = "".join(f"import {name};\n" for name in imports)
    return f"// {BANNER}\npackage io.fleetauth;\n\n{used}{chr(10) if used else ''}{body}"


def _doc(text: str, indent: str = "") -> str:
    """A Javadoc comment; `x` becomes {@code x}."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("…", "...")
    text = re.sub(r"`([^`]*)`", lambda m: "{@code " + m[1].replace(" ", "\0") + "}", text)
    lines = wrap(text, indent + " * ").replace("\0", " ")
    return f"{indent}/** {lines.strip()[2:]} */\n" if "\n" not in lines else f"{indent}/**\n{lines}\n{indent} */\n"


def exception(error_class: str) -> str:
    """RateLimitedException for RateLimited; FleetAuthException for FleetAuthError."""
    return error_class.removesuffix("Error") + "Exception"


# SWIG


def _interface(model: Model) -> str:
    functions = model.functions_for("java")
    pairs = sorted({(p.c[0][0], p.name) for f in functions for p in f.params if p.kind in ("text", "bytes")})
    shared = [f for f in functions if f.shared]
    prototypes = [prototype(f, "", ";").replace("size_t *len", "size_t *shared_len" if f.shared else "size_t *len") for f in functions]
    return fill(
        "fleetauth.i",
        handles="\n".join(f"HANDLE({h.c_type})" for h in model.handles),
        pairs="\n".join(f"%apply ({c}DATA, size_t LENGTH) {{ ({c}{name}, size_t {name}_len) }};" for c, name in pairs),
        shared="\n".join(f"RETURNED({f.c_returns}{f.symbol}, jobject, java.nio.ByteBuffer)" for f in shared),
        functions="\n".join([f"void {h.c_type}_unref({h.c_type} *{h.name});" for h in model.handles] + prototypes),
    )


def _swig(interface: str) -> dict[str, str]:
    """What SWIG makes of it; nothing where the right SWIG is not installed."""
    swig = shutil.which("swig")
    if not swig or f"Version {SWIG_VERSION}\n" not in subprocess.run([swig, "-version"], capture_output=True, text=True).stdout:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "fleetauth.i").write_text(interface, "utf-8")
        options = ["-Werror", "-java", "-noproxy", "-package", "io.fleetauth", "-outdir", "."]
        subprocess.run([swig, *options, "-o", "fleetauth_wrap.gen.c", "fleetauth.i"], cwd=folder, check=True)
        return {
            SWIG + "fleetauth_wrap.gen.c": (Path(folder) / "fleetauth_wrap.gen.c").read_text("utf-8"),
            JAVA + "FleetauthJNI.java": (Path(folder) / "FleetauthJNI.java").read_text("utf-8"),
        }


# The flat layer: a class for each handle, and one for the functions that need none


def _native(handle: str) -> str:
    return "Native" + pascal(handle)


def _type(p: Param) -> str:
    return _native(p.handle) if p.handle else TYPES[p.kind]


def _argument(p: Param) -> str:
    if p.kind == "text":
        return f"Text.utf8({camel(p.name)})"
    if p.kind == "handle":
        return f"call.use({camel(p.name)})"
    return {"out_handle": "call.handle", "out_i32": "call.number"}.get(p.kind, camel(p.name))


def _method(f: Function) -> str:
    out = f.outputs[0] if f.outputs else None
    returns = "ByteBuffer" if f.shared else TYPES.get(f.returns, "void")
    if out:
        returns = _native(out.handle) if out.handle else "int"
    name = "create" if f.method == "new" else camel(f.method)
    head = f"  {'' if f.receiver else 'static '}{returns} {name}"
    signature = call(head, [f"{_type(p)} {camel(p.name)}" for p in f.inputs], " {")
    arguments = ["call.use(this)" if p is f.receiver else _argument(p) for p in f.params] + (["call.error"] if f.error else [])
    wrapped = {"status": ("call.check(", ");"), "text": ("return Text.string(", ");"), "void": ("", ";")}.get(f.returns, ("return ", ";"))
    lines = [call(f"      {wrapped[0]}FleetauthJNI.{f.symbol}", arguments, wrapped[1])]
    if out:
        lines.append(f"      return {f'new {returns}(call.handle[0])' if out.handle else 'call.number[0]'};")
    body = "\n".join(["    try (Call call = new Call()) {", *lines, "    }"])
    return f"{_doc(f.doc, '  ')}{signature}\n{body}\n  }}\n"


def _handle_class(model: Model, h: Handle) -> str:
    name = _native(h.name)
    functions = [f for f in model.functions_for("java") if f.handle == h.name]
    final = "" if h.name in REPLACED_IN_TESTS else "final "
    head = (
        f"{_doc(h.doc)}{final}class {name} extends NativeHandle {{\n  {name}(long pointer) {{\n"
        f'    super(pointer, FleetauthJNI::{h.c_type}_unref, "{h.name.replace("_", " ")}");\n  }}\n'
    )
    methods = "".join("\n" + _method(f) for f in functions)
    return _file(f"{head}{methods}}}\n", ("java.nio.ByteBuffer",) if any(f.shared for f in functions) else ())


def _library(model: Model) -> str:
    methods = "".join("\n" + _method(f) for f in model.functions_for("java") if not f.handle)
    constant = f"  /** Of the description these classes were generated from. */\n  static final long API_CHECKSUM = {model.checksum}L;\n"
    return _file(
        f"/** What belongs to no handle. */\nfinal class NativeLibrary {{\n{constant}\n  private NativeLibrary() {{}}\n{methods}}}\n"
    )


# Numbers and errors


def _enum(e: Enum) -> str:
    values = ",\n".join(f"{_doc(v.doc, '  ')}  {v.name}({v.number})" for v in e.values)
    doc = f"/** The FLEETAUTH_{e.prefix}_ numbers. */\n"
    return _file(fill("Enum.java", doc=doc, visibility="public " if e.name in PUBLIC_ENUMS else "", name=pascal(e.name), values=values))


def _status(model: Model) -> str:
    rows = [(s.name.removeprefix("E_"), s.number, s.doc, s.error_class) for s in model.statuses if s.error_class]
    values = [f"{_doc(doc, '  ')}  {name}({number}, {exception(kind)}::new)" for name, number, doc, kind in rows]
    return _file(fill("Status.java", values=",\n".join(values)), ("java.util.function.Function",))


def _exceptions(model: Model) -> dict[str, str]:
    root, *others = model.error_classes
    files = {}
    for c in others:
        name = exception(c.name)
        head = f"{_doc(c.doc)}public class {name} extends {exception(root.name)} {{\n  private static final long serialVersionUID = 1;\n"
        files[f"{JAVA}{name}.java"] = _file(f"{head}\n  {name}(ErrorDetails details) {{\n    super(details);\n  }}\n}}\n")
    return files


# Events


def _event(model: Model) -> str:
    def accessor(m: Member) -> str:
        name = m.name.removesuffix("_ms")
        kind = m.type if name == m.name else "time" if m.always else "duration"
        returns, read = EVENT_VALUES[kind]
        method = camel("wait_time" if name == "wait" else name)  # Object has a wait()
        doc = m.doc.replace(": Unix time in milliseconds", "") if kind == "time" else m.doc
        return f"\n{_doc(doc, '  ')}  public {returns} {method}() {{\n    return {read}({quoted(m.name)});\n  }}\n"

    used = ("time.Duration", "time.Instant", "util.Collections", "util.Map", "util.Optional", "util.OptionalLong")
    imports = tuple(f"java.{name}" for name in used)
    return _file(fill("FleetAuthEvent.java", accessors="".join(accessor(m) for m in model.members)), imports)


# Typed options


def _setters(option: Option, returns: str, secret: bool = False) -> str:
    name, doc = option.name, option.doc + ("" if option.default_text is None else f" The default is `{option.default_text}`.")
    types = {"integer": "long", "boolean": "boolean"}
    if option.type == "integer" and name.endswith("_ms"):
        setters = [(camel(name.removesuffix("_ms")), "Duration", "value.toMillis()")]
    else:
        kinds = ("String", "char[]", "byte[]") if secret or option.type == "secret" else (types.get(option.type, "String"),)
        setters = [(camel(name), kind, "value") for kind in kinds]
    return "".join(
        f"\n{_doc(doc, '  ')}  public {returns} {setter}({kind} value) {{\n    return set({quoted(name)}, {value});\n  }}\n"
        for setter, kind, value in setters
    )


def _options(model: Model, scope: str) -> str:
    options = [o for o in model.options_of(scope) if o.name not in BY_HAND]
    name = pascal(scope) + "Options"
    setters = "".join(_setters(o, "B") for o in options)
    return _file(
        f"/**\n * The options of a {scope}.\n *\n * @param <B> the builder that the setters return\n */\n"
        f"public abstract class {name}<B extends {name}<B>> extends OptionBag<B> {{\n  {name}() {{}}\n{setters}}}\n",
        ("java.time.Duration",) if any(o.name.endswith("_ms") for o in options) else (),
    )


def _names(name: str, doc: str, names: dict[str, str]) -> str:
    """A class of constants, each with its documentation."""
    constants = [f"{_doc(text, '    ')}    public static final String {key.upper()} = {quoted(key)};\n" for key, text in names.items()]
    values = "\n".join(constants)
    return f"\n  /** {doc} */\n  public static final class {name} {{\n{values}\n    private {name}() {{}}\n  }}\n"


def _takes(claim_set: dict[str, Any]) -> str:
    """What a request has to name beside the claim set."""
    listed = [
        " and ".join(f"`{name}`" for name in claim_set.get("required", [])),
        " or ".join(f"`{name}`" for name in claim_set.get("one_of", [])),
        " and ".join(f"perhaps `{name}`" for name in claim_set.get("optional", [])),
    ]
    return f" It takes {' and '.join(part for part in listed if part) or 'no ids'}."


def _claims(descriptor: dict[str, Any]) -> str:
    """The names that requests for claims use."""
    claims = descriptor.get("claims")
    if not claims:
        return ""
    sets = {name: claim_set["doc"] + _takes(claim_set) for name, claim_set in claims["sets"].items()}
    return _names("ClaimSet", "What a token can be for; the names of claim sets.", sets) + _names(
        "Claim", "The names of the ids that claim sets take.", {name: claim["doc"] for name, claim in claims["names"].items()}
    )


def _provider(stem: str, descriptor: dict[str, Any]) -> tuple[str, str]:
    """The client class of a built-in provider, named by its title."""
    name = re.sub(r"[^A-Za-z0-9]", "", descriptor["title"][:1].upper() + descriptor["title"][1:])
    parameters = [
        (Option("client", key, p["type"], p.get("doc", ""), default=p.get("default")), p.get("secret", False))
        for key, p in descriptor["parameters"].items()
    ]
    addresses = base_urls(descriptor) if len(descriptor["origins"]) > 1 else []
    parameters += [(Option("client", name, "text", doc), False) for name, doc, _ in addresses]
    setters = "".join(_setters(option, "Builder", secret) for option, secret in parameters)
    setters = setters.replace("\n  ", "\n    ")
    doc, claims = _doc(descriptor["doc"]), _claims(descriptor)
    return name, _file(fill("Provider.java", doc=doc, name=name, claims=claims, provider=stem, setters=setters))


def outputs(model: Model) -> dict[str, str]:
    interface = _interface(model)
    return {
        SWIG + "fleetauth.i": interface,
        **_swig(interface),
        **{f"{JAVA}{_native(h.name)}.java": _handle_class(model, h) for h in model.handles},
        JAVA + "NativeLibrary.java": _library(model),
        **{f"{JAVA}{pascal(e.name)}.java": _enum(e) for e in model.enums},
        JAVA + "Status.java": _status(model),
        **_exceptions(model),
        JAVA + "FleetAuthEvent.java": _event(model),
        **{f"{JAVA}{pascal(scope)}Options.java": _options(model, scope) for scope in ("runtime", "client", "request")},
        **{f"{JAVA}{name}.java": text for name, text in (_provider(*item) for item in model.providers.items())},
    }
