"""Who the provider takes a client for, and the accounts it may act for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class _Account(NamedTuple):
        id: str
        name: str
else:
    from collections import namedtuple

    _Account = namedtuple("Account", ("id", "name"))  # typing takes long to import


class Identity(Mapping[str, str]):
    """The fields of the provider's answer that its descriptor names (`id`, `email`, `role`, ...): immutable, and no secret."""

    __slots__ = ("_fields",)

    def __init__(self, native: _native.Identity) -> None:
        self._fields = {native.name(i) or "": native.value(i) or "" for i in range(native.count)}

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"<Identity {', '.join(f'{name}={value!r}' for name, value in self._fields.items())}>"


class Account(_Account):
    """An account: `id` is what the option `account` takes, `name` what people call it, empty where the provider does not say."""

    __slots__ = ()


def accounts_of(native: _native.Accounts) -> list[Account]:
    return [Account(native.id(i) or "", native.name(i) or "") for i in range(native.count)]
