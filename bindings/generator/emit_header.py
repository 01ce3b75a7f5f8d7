"""The public header, capi/include/fleetauth/fleetauth.h."""
from __future__ import annotations

import re

from emit_thunks import c_param
from model import Enum, Function, Handle, Model
from text import BANNER, call, wrap

HEAD = """\
/* fleetauth: the headers that authorise a request to a fleet telematics provider.
 * {banner}
 *
 * Conventions
 *
 *   Handles     fleetauth_T * is opaque and reference-counted: fleetauth_T_ref takes a reference, fleetauth_T_unref gives one back.
 *               Both accept NULL and never block. A handle keeps alive what it was made from. Using one after its last
 *               reference went is undefined, as after free().
 *   T **out     is written with a reference that the caller owns, or with NULL when the function fails.
 *   Returned    pointers are borrowed: valid while the handle they came from is, unless said otherwise.
 *   Text        in: (const char *s, size_t s_len), UTF-8, FLEETAUTH_NTS as length means that it ends with a NUL; copied before the
 *               function returns. NULL with length 0 is the empty text, unless it is said that NULL means something else.
 *               Out: ends with a NUL which is not counted; `len` may be NULL. Without a handle to ask the answer is "".
 *   Bytes       in: (const uint8_t *p, size_t p_len), copied before the function returns. Out: as text, but not terminated.
 *   Status      0 is FLEETAUTH_OK. An argument that is wrong is FLEETAUTH_E_INVALID_ARGUMENT; memory that runs out is
 *               FLEETAUTH_E_NOMEM, and nothing was changed. New numbers may be added: treat an unknown one as a failure.
 *   Errors      fleetauth_error **err may be NULL. It is set to NULL on success and to an owned error on failure; it stays NULL when
 *               not even memory for the error was left.
 *   Numbers     returned without a status are 0 when there is no handle to ask.
 *   Threads     every function may be called from any thread, at the same time, unless a handle's description restricts it.
 *               The library never calls into the program but for fleetauth_wakeup_fn.
 *   Blocking    only functions marked "May wait." ever block.
 *   Secret      what is marked so is wiped by the library when it is released; copies of it are the caller's to wipe.
 *   Growth      within soname {soname} functions and numbers are only added, and never change their meaning.
 */
#ifndef FLEETAUTH_FLEETAUTH_H
#define FLEETAUTH_FLEETAUTH_H

#include <stddef.h>
#include <stdint.h>

/* Defined as nothing by a program that contains the library statically and wants its functions hidden. */
#ifndef FLEETAUTH_API
#if defined(_WIN32)
#define FLEETAUTH_API __declspec(dllexport)
#elif defined(__GNUC__)
#define FLEETAUTH_API __attribute__((visibility("default")))
#else
#define FLEETAUTH_API
#endif
#endif

#ifdef __cplusplus
#define FLEETAUTH_NOEXCEPT noexcept
extern "C" {{
#else
#define FLEETAUTH_NOEXCEPT
#endif

/* The version of this header; fleetauth_version() tells the library's. */
#define FLEETAUTH_VERSION "{version}"
#define FLEETAUTH_VERSION_MAJOR {major}
#define FLEETAUTH_VERSION_MINOR {minor}
#define FLEETAUTH_VERSION_PATCH {patch}

/* As the length of a text: it ends with a NUL. */
#define FLEETAUTH_NTS ((size_t)-1)

/* A FLEETAUTH_OK or FLEETAUTH_E_ number. */
typedef int32_t fleetauth_status;

/* Called from any thread of the library. It may only signal: no call into this library, no blocking. */
typedef void (*fleetauth_wakeup_fn)(void *user_data);
"""

TAIL = """
#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FLEETAUTH_FLEETAUTH_H */
"""


def c_names(model: Model, text: str) -> str:
    """The description's short names as C spells them: FLEETAUTH_E_CONFIG, fleetauth_client_peek."""
    functions = "|".join(sorted((f.name for f in model.functions if "_" in f.name), key=len, reverse=True))
    text = re.sub(r"(?<!`)\bE_[A-Z][A-Z_]*\b", r"FLEETAUTH_\g<0>", text)
    return re.sub(rf"\b({functions})\b", r"fleetauth_\1", text).replace("…", "...")


def _comment(text: str, indent: str = "") -> str:
    lines = wrap(text.replace("Since ", "Since\0"), indent + " * ").replace("\0", " ").splitlines()
    lines[0] = indent + "/*" + lines[0][len(indent) + 2:]
    return "\n".join(lines) + " */"


def notes(f: Function) -> str:
    """What follows from a function's attributes, in sentences."""
    nullable = [f"`{p.name}`" for p in f.params if p.nullable]
    owned = [p for p in f.params if p.kind == "out_handle"]
    secret = [f"`{p.name}`" for p in f.params if p.secret]
    said = [f"{' and '.join(nullable)} may be NULL." if nullable else "",
            *(f"Release `{p.name}` with fleetauth_{p.handle}_unref." for p in owned),
            f"{' and '.join(secret)} may be secret." if secret else "",
            "The result is secret." if f.secret else "",
            "May wait." if f.blocks else "",
            {"unstable": "Unstable: it may change or vanish.", "deprecated": "Deprecated."}.get(f.state, ""),
            f"Since {f.since}."]
    return " ".join(s for s in said if s)


def prototype(f: Function, prefix: str = "FLEETAUTH_API ", suffix: str = " FLEETAUTH_NOEXCEPT;") -> str:
    head = c_param(prefix + f.c_returns, f.symbol)
    return call(head, [c_param(*c) for c in f.c_params] or ["void"], suffix)


def _enum(model: Model, enum: Enum) -> str:
    values = "\n".join(f"{_comment(c_names(model, v.doc), '  ')}\n  {v.constant} = {v.value}{',' if v is not enum.values[-1] else ''}"
                       for v in enum.values)
    return f"\nenum {{\n{values}\n}};\n"


def _statuses(model: Model) -> str:
    last = model.statuses[-1]
    rows = "\n".join(f"{_comment(c_names(model, s.doc), '  ')}\n  {s.constant} = {s.number}{',' if s is not last else ''}"
                     for s in model.statuses)
    return f"\n/* ---- Status numbers: 1-19 caller, 20s configuration, 30s network and provider, 40s credentials, 60s cryptography */\n\nenum {{\n{rows}\n}};\n"


def _counting(h: Handle) -> str:
    return (f"FLEETAUTH_API {h.c_type} *{h.c_type}_ref({h.c_type} *{h.name}) FLEETAUTH_NOEXCEPT;\n"
            f"FLEETAUTH_API void {h.c_type}_unref({h.c_type} *{h.name}) FLEETAUTH_NOEXCEPT;\n")


def _header(model: Model) -> str:
    major, minor, patch = model.version.split(".")
    parts = [HEAD.format(banner=BANNER, soname=model.soname, version=model.version, major=major, minor=minor, patch=patch)]
    parts.append("\n" + "\n".join(f"{_comment(c_names(model, h.doc + (' Holds secrets.' if h.secret else '')))}\n"
                                  f"typedef struct {h.c_type} {h.c_type};" for h in model.handles) + "\n")
    parts.append(_statuses(model))
    for g in model.groups:
        parts.append(f"\n/* ---- {g.title}\n{wrap(c_names(model, g.doc), ' * ')} */\n")
        parts += [_enum(model, e) for e in g.enums]
        parts += ["\n" + _counting(h) for h in g.handles]
        parts += [f"\n{_comment(c_names(model, f.doc) + ' ' + notes(f))}\n{prototype(f)}\n" for f in g.functions]
    return "".join(parts) + TAIL


def outputs(model: Model) -> dict[str, str]:
    return {"capi/include/fleetauth/fleetauth.h": _header(model)}
