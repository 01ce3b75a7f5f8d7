"""Tables: statuses (core/base/status.gen.h), options and notices (core/runtime), the command's options and exit statuses."""

from collections.abc import Sequence

from model import Event, Member, Model, Option
from text import fill, pascal, quoted, wrap


def _status_table(model: Model) -> str:
    enumerators = "\n".join(f"{wrap(s.doc, '  /// ')}\n  {s.camel} = {s.number}," for s in model.statuses)
    rows = "\n".join(
        f"    {{Status::{s.camel}, {quoted(s.name)}, {quoted(s.error_class)}, {str(s.retry).lower()}, {quoted(s.fault)}}},"
        for s in model.statuses
    )
    return fill("status.gen.h", enumerators=enumerators, count=len(model.statuses), rows=rows)


def _choices(option: Option) -> str:
    return f"k{pascal(option.scope)}{pascal(option.name)}Choices" if option.values else "{}"


def _option_table(model: Model) -> str:
    choices = "\n".join(
        f"inline constexpr std::array<std::string_view, {len(o.values)}> {_choices(o)}{{{', '.join(map(quoted, o.values))}}};"
        for o in model.options
        if o.values
    )
    rows = "\n".join(
        f"    {{OptionScope::{pascal(o.scope)}, {quoted(o.name)}, OptionType::{pascal(o.type)},\n"
        f"     {'std::nullopt' if o.default_text is None else quoted(o.default_text)}, {o.min or 0}, {o.max or 0}, {_choices(o)},\n"
        f"     {quoted(o.doc)}}},"
        for o in model.options
    )
    return fill("option_table.gen.h", choices=choices, count=len(model.options), rows=rows)


def _exit_table(model: Model) -> str:
    exits = {c.name: c.exit for c in model.error_classes}
    failures = [s for s in model.statuses if s.error_class]
    rows = "\n".join(f"    {{{s.number}, {exits[s.error_class]}, {quoted(s.error_class)}}},  // {s.name}" for s in failures)
    return fill("exit_status.gen.h", count=len(failures), rows=rows)


def _client_options(model: Model) -> str:
    options = [o for o in model.options if o.scope != "runtime"]
    rows = "\n".join(
        f"    {{{quoted(o.name)}, {str(o.scope == 'request').lower()}, {str(o.type == 'boolean').lower()},"
        f" {quoted(o.default_text or '')}, {quoted(o.doc)}}},"
        for o in options
    )
    return fill("client_options.gen.h", count=len(options), rows=rows)


def _notice_table(model: Model) -> str:
    types = {"text": "String", "integer": "Integer", "boolean": "Boolean"}

    def enumerators(rows: Sequence[Event | Member]) -> str:
        return "\n".join(f"{wrap(row.doc, '  /// ')}\n  {pascal(row.name)}," for row in rows)

    return fill(
        "notice_table.gen.h",
        kinds=enumerators(model.events),
        kind_count=len(model.events),
        kind_rows="\n".join(f"    {{{quoted(e.name)}, {quoted(e.level)}}}," for e in model.events),
        members=enumerators(model.members),
        member_count=len(model.members),
        member_rows="\n".join(f"    {{{quoted(m.name)}, json::Type::{types[m.type]}}}," for m in model.members),
    )


def outputs(model: Model) -> dict[str, str]:
    return {
        "core/base/status.gen.h": _status_table(model),
        "core/runtime/option_table.gen.h": _option_table(model),
        "core/runtime/notice_table.gen.h": _notice_table(model),
        "tools/fleetauth/exit_status.gen.h": _exit_table(model),
        "tools/fleetauth/client_options.gen.h": _client_options(model),
    }
