"""What the ABI gate works with: capi/abi/fleetauth.map, symbols.txt, constants.txt and stub.c."""

from emit_header import prototype
from model import Model
from text import BANNER

ZERO = {"void": "", "status": " return 0;", "i32": " return 0;", "i64": " return 0;", "text": " return NULL;", "bytes": " return NULL;"}


def _export_map(model: Model) -> str:
    """One node for each version that added functions; a node inherits its predecessor. Counting functions are of the first."""
    since = {f.symbol: f.since for f in model.functions}
    versions = sorted({"1.0", *since.values()}, key=lambda v: tuple(map(int, v.split("."))))
    nodes, before = [f"# {BANNER}"], ""
    for version in versions:
        names = "".join(f"    {s};\n" for s in model.symbols if since.get(s, versions[0]) == version)
        hidden = "" if before else "  local:\n    *;\n"
        nodes.append(f"FLEETAUTH_{version} {{\n  global:\n{names}{hidden}}}{before};")
        before = f" FLEETAUTH_{version}"
    return "\n".join(nodes) + "\n"


def _stub(model: Model) -> str:
    counted = [
        f"{h.c_type} *{h.c_type}_ref({h.c_type} *{h.name}) {{ return {h.name}; }}\nvoid {h.c_type}_unref({h.c_type} *{h.name}) {{}}"
        for h in model.handles
    ]
    functions = [prototype(f, "", f" {{{ZERO[f.returns]} }}") for f in model.functions]
    return (
        f"/* {BANNER}\n * The interface without the library: what abidiff compares with the baseline. */\n/* clang-format off */\n"
        '#include "fleetauth/fleetauth.h"\n\n' + "\n".join(counted + functions) + "\n"
    )


def outputs(model: Model) -> dict[str, str]:
    constants = "".join(f"{name} {number}\n" for name, number in model.constants)
    return {
        "capi/abi/fleetauth.map": _export_map(model),
        "capi/abi/symbols.txt": "\n".join(model.symbols) + "\n",
        "capi/abi/constants.txt": constants,
        "capi/abi/stub.c": _stub(model),
    }
