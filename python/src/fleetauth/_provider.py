"""Provider descriptors."""

from __future__ import annotations

import os

from . import _native


class Provider:
    """An immutable, checked provider descriptor."""

    def __init__(self, name: str) -> None:
        """The built-in provider of that name."""
        self._native = _native.Provider.builtin(name)

    @classmethod
    def from_json(cls, text: str, source: str = "descriptor") -> Provider:
        """Checks a descriptor (docs/adding-a-provider.md). `source` names it in messages."""
        provider = cls.__new__(cls)
        provider._native = _native.Provider.from_json(text, source)
        return provider

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Provider:
        """Checks the descriptor in a file."""
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  pathlib takes long to import
            return cls.from_json(file.read(), os.fspath(path))

    @staticmethod
    def builtins() -> tuple[str, ...]:
        """The names of the built-in providers."""
        names: list[str] = []
        while (name := _native.Provider.builtin_name(len(names))) is not None:
            names.append(name)
        return tuple(names)

    @property
    def name(self) -> str:
        return self._native.name

    @property
    def description(self) -> str:
        """The checked descriptor as JSON: parameters, origins, schemes, API groups, with their documentation."""
        return self._native.description

    def __repr__(self) -> str:
        return f"<Provider {self.name}>"

    def __reduce__(self) -> tuple[object, ...]:
        return Provider.from_json, (self.description, self.name)
