"""The reference pages made from the description: docs/abi.md, docs/errors.md, docs/options.md, docs/observability.md."""

from collections.abc import Sequence

from emit_header import c_names, notes, prototype
from model import Function, Group, Model, Option
from text import fill

SCOPES = {"runtime": "for `fleetauth_runtime_new`", "client": "for `fleetauth_client_new`", "request": "for `fleetauth_request_new`"}


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return _row(*head) + _row(*("---" for _ in head)) + "".join(_row(*row) for row in rows)


def _function(model: Model, f: Function) -> str:
    return f"### {f.symbol}\n\n```c\n{prototype(f, '', ';')}\n```\n\n{c_names(model, f.doc)} {notes(f)}\n"


def _group(model: Model, g: Group) -> str:
    parts = [f"## {g.title}\n\n{c_names(model, g.doc)}\n"]
    parts += [f"**{h.c_type}**: {c_names(model, h.doc)}\nCounted by `{h.c_type}_ref` and `{h.c_type}_unref`.\n" for h in g.handles]
    parts += [
        _table(["constant", "number", "meaning"], [[f"`{v.constant}`", v.number, c_names(model, v.doc)] for v in e.values]) for e in g.enums
    ]
    return "\n".join(parts + [_function(model, f) for f in g.functions])


def _errors(model: Model) -> str:
    root = model.error_classes[0].name
    classes = _table(["class", "what it means and what to do"], [[f"`{c.name}`", c.doc] for c in model.error_classes])
    statuses = _table(
        ["number", "status", "class", "retryable", "meaning"],
        [[s.number, f"`{s.name}`", f"`{s.error_class}`" if s.error_class else "", "yes" if s.retry else "", s.doc] for s in model.statuses],
    )
    return fill("errors.md", root=root, classes=classes, statuses=statuses)


def _option(o: Option) -> list[object]:
    kind = " or ".join(f"`{v}`" for v in o.values) if o.values else f"{o.type}, {o.min} to {o.max}" if o.type == "integer" else o.type
    return [f"`{o.name}`", kind, f"`{o.default_text}`" if o.default_text is not None else "", o.doc]


def _options(model: Model) -> str:
    return fill(
        "options.md",
        scopes="".join(
            f"\n## {scope.capitalize()} options, {use}\n\n"
            + _table(["option", "type", "default", "meaning"], [_option(o) for o in model.options_of(scope)])
            for scope, use in SCOPES.items()
        ),
    )


def _observability(model: Model) -> str:
    events = [[f"`{e.name}`", e.level, e.doc] for e in model.events]
    own = [[f"`{m.name}`" + (" *" if m.always else ""), m.type, m.doc] for m in model.members if not m.error]
    of_error = [", ".join(f"`{m.name}`" for m in model.members if m.error), "", "What the error says, as in [errors.md](errors.md)."]
    return fill(
        "observability.md",
        events=_table(["`event`", "`level`", "what happened"], events),
        members=_table(["member", "type", "meaning"], [*own, of_error]),
    )


def outputs(model: Model) -> dict[str, str]:
    groups = "\n".join(_group(model, g) for g in model.groups)
    return {
        "docs/abi.md": fill("abi.md", version=model.version, soname=model.soname, groups=groups),
        "docs/errors.md": _errors(model),
        "docs/options.md": _options(model),
        "docs/observability.md": _observability(model),
    }
