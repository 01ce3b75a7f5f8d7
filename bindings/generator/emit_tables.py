"""The core's tables: statuses (core/base/status.gen.h) and options (core/runtime/option_table.gen.h)."""
from __future__ import annotations

from model import Model, Option
from text import BANNER, pascal, quoted, wrap

STATUS_HEAD = """\
#pragma once
// {banner}

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fleetauth {{

/// What a call came to. The numbers are the ABI's and are never reused.
enum class Status : std::int32_t {{
{enumerators}
}};

struct StatusRow {{
  Status status;
  std::string_view name;         ///< "E_RATE_LIMITED"; like all texts here, followed by a NUL
  std::string_view error_class;  ///< the class of the bindings; empty for OK
  bool retryable;                ///< the same call may succeed later without any change
  std::string_view fault;        ///< the word for it in descriptors; empty when they cannot choose it
}};

inline constexpr std::array<StatusRow, {count}> kStatusTable{{{{
{rows}
}}}};

/// The row of a status; null for a number that is none.
constexpr const StatusRow *find_status(std::int32_t number) noexcept {{
  for (const StatusRow &row : kStatusTable) {{
    if (static_cast<std::int32_t>(row.status) == number) return &row;
  }}
  return nullptr;
}}
constexpr const StatusRow *find_status(Status status) noexcept {{ return find_status(static_cast<std::int32_t>(status)); }}

/// "E_RATE_LIMITED"; "E_UNKNOWN" for a number that is none.
constexpr std::string_view status_name(Status status) noexcept {{
  const StatusRow *row = find_status(status);
  return row != nullptr ? row->name : std::string_view("E_UNKNOWN");
}}

constexpr bool status_retryable(Status status) noexcept {{
  const StatusRow *row = find_status(status);
  return row != nullptr && row->retryable;
}}

/// The status a descriptor means by "invalid_credentials", "server", and so on.
constexpr std::optional<Status> status_from_fault(std::string_view fault) noexcept {{
  for (const StatusRow &row : kStatusTable) {{
    if (!row.fault.empty() && row.fault == fault) return row.status;
  }}
  return std::nullopt;
}}

}}  // namespace fleetauth
"""

OPTION_HEAD = """\
#pragma once
// {banner}

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace fleetauth {{

enum class OptionScope {{ Runtime, Client, Request }};
enum class OptionType {{ Text, Secret, Integer, Boolean, Choice }};

struct OptionSpec {{
  OptionScope scope;
  std::string_view name;
  OptionType type;
  std::optional<std::string_view> default_text;  ///< nullopt: the option has no default
  std::int64_t min;                              ///< min and max of an integer, inclusive
  std::int64_t max;
  std::span<const std::string_view> choices;  ///< the words of a choice
  std::string_view doc;
}};

{choices}

// clang-format off
inline constexpr std::array<OptionSpec, {count}> kOptionTable{{{{
{rows}
}}}};
// clang-format on

/// The option of that name; null when the scope has none.
constexpr const OptionSpec *find_option(OptionScope scope, std::string_view name) noexcept {{
  for (const OptionSpec &option : kOptionTable) {{
    if (option.scope == scope && option.name == name) return &option;
  }}
  return nullptr;
}}

}}  // namespace fleetauth
"""


def _status_table(model: Model) -> str:
    enumerators = "\n".join(f"{wrap(s.doc, '  /// ')}\n  {s.camel} = {s.number}," for s in model.statuses)
    rows = "\n".join(f"    {{Status::{s.camel}, {quoted(s.name)}, {quoted(s.error_class)}, {str(s.retry).lower()}, {quoted(s.fault)}}},"
                     for s in model.statuses)
    return STATUS_HEAD.format(banner=BANNER, enumerators=enumerators, count=len(model.statuses), rows=rows)


def _choices(option: Option) -> str:
    return f"k{pascal(option.scope)}{pascal(option.name)}Choices" if option.values else "{}"


def _option_table(model: Model) -> str:
    choices = "\n".join(f"inline constexpr std::array<std::string_view, {len(o.values)}> {_choices(o)}{{{', '.join(map(quoted, o.values))}}};"
                        for o in model.options if o.values)
    rows = "\n".join(
        f"    {{OptionScope::{pascal(o.scope)}, {quoted(o.name)}, OptionType::{pascal(o.type)},\n"
        f"     {'std::nullopt' if o.default_text is None else quoted(o.default_text)}, {o.min or 0}, {o.max or 0}, {_choices(o)},\n"
        f"     {quoted(o.doc)}}}," for o in model.options)
    return OPTION_HEAD.format(banner=BANNER, choices=choices, count=len(model.options), rows=rows)


def outputs(model: Model) -> dict[str, str]:
    return {"core/base/status.gen.h": _status_table(model), "core/runtime/option_table.gen.h": _option_table(model)}
